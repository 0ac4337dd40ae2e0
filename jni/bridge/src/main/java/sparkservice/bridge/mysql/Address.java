package sparkservice.bridge.mysql;

import java.io.Serializable;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Properties;
import java.util.regex.Pattern;
import sparkservice.bridge.BridgeException;
import sparkservice.bridge.BridgeException.Code;

/**
 * Where and as whom to connect.
 *
 * <p>The URL is made of nothing but a checked host and port; everything else, the database too, goes
 * as a property or a call, and the properties that let a server or a statement do more than answer
 * are set off last.
 *
 * <p>TLS is used when the server offers it, unverified ({@code PREFERRED}, MySQL's own default):
 * servers come with self-made certificates. Over plain TCP the public key of the server is not
 * asked for, because whoever answers could be given the password; an account of
 * caching_sha2_password therefore needs a server with TLS, which MySQL 8 is out of the box.
 */
public record Address(String host, int port, String user, String password, String database)
        implements Serializable {
    private static final Pattern HOST = Pattern.compile(
            "[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?)*");
    private static final Pattern IPV6 = Pattern.compile("[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*");
    private static final int MAX_CONNECT_MS = 10_000;
    /** The server's own limit and the cancel come first; this is for a server that is gone. */
    private static final int SOCKET_GRACE_MS = 5_000;

    Connection connect(long timeoutMs) throws SQLException, BridgeException {
        return new com.mysql.cj.jdbc.Driver().connect(url(), properties(timeoutMs));
    }

    private String url() throws BridgeException {
        if (port < 1 || port > 65535) {
            throw new BridgeException(Code.BAD_REQUEST, "The MySQL port is out of range.");
        }
        String name = host.startsWith("[") && host.endsWith("]")
                ? host.substring(1, host.length() - 1) : host;
        if (IPV6.matcher(name).matches()) {
            return "jdbc:mysql://[" + name + "]:" + port + "/";
        }
        if (!HOST.matcher(name).matches() || name.length() > 253) {
            throw new BridgeException(Code.BAD_REQUEST, "The MySQL host is not a name or address.");
        }
        return "jdbc:mysql://" + name + ":" + port + "/";
    }

    private Properties properties(long timeoutMs) {
        Properties all = new Properties();
        set(all, "user", user);
        set(all, "password", password);
        set(all, "dbname", database);
        all.setProperty("sslMode", "PREFERRED");
        all.setProperty("connectTimeout", Long.toString(Math.min(timeoutMs, MAX_CONNECT_MS)));
        all.setProperty("socketTimeout", Long.toString(timeoutMs + SOCKET_GRACE_MS));
        all.setProperty("tcpKeepAlive", "true");
        all.setProperty("characterEncoding", "UTF-8");
        all.setProperty("useServerPrepStmts", "true");
        all.setProperty("tinyInt1isBit", "false");
        all.setProperty("yearIsDateType", "false");
        all.setProperty("zeroDateTimeBehavior", "CONVERT_TO_NULL");
        all.setProperty("connectionTimeZone", "UTC");
        all.setProperty("forceConnectionTimeZoneToSession", "true");
        all.setProperty("connectionAttributes", "program_name:spark-service");
        all.setProperty("allowLoadLocalInfile", "false");
        all.setProperty("allowUrlInLocalInfile", "false");
        all.setProperty("allowMultiQueries", "false");
        all.setProperty("allowPublicKeyRetrieval", "false");
        all.setProperty("autoReconnect", "false");
        return all;
    }

    private static void set(Properties all, String key, String value) {
        if (value != null) {
            all.setProperty(key, value);
        }
    }

    @Override
    public String toString() {
        return host + ":" + port;
    }
}
