package sparkservice.bridge.mysql;

import java.io.Serializable;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
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
 * <p>Over plain TCP the public key of the server is not asked for, because whoever answers could be
 * given the password; an account of caching_sha2_password therefore needs a server with TLS, which
 * MySQL 8 is out of the box.
 *
 * @param database or null
 * @param connectMs longest silence of a server that doesn't know us yet; 0: the bridge's own
 * @param socketMs longest silence later; 0: a little more than the query's time
 * @param writes the session isn't made read-only
 */
public record Address(String host, int port, String user, String password, String database, Tls tls,
        long connectMs, long socketMs, boolean writes) implements Serializable {
    private static final Pattern HOST = Pattern.compile(
            "[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?)*");
    private static final Pattern IPV6 = Pattern.compile("[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*");
    private static final long MAX_CONNECT_MS = 10_000;
    private static final String DISABLED_METHODS = "mysql_clear_password,mysql_old_password,"
            + "authentication_ldap_sasl_client,authentication_kerberos_client,"
            + "authentication_oci_client,authentication_openid_connect_client,"
            + "authentication_webauthn_client";
    /** The server's own limit and the cancel come first; this is for a server that is gone. */
    private static final int SOCKET_GRACE_MS = 5_000;

    /** The way in that can be cut while it is gone. */
    Handshake handshake() {
        return new Handshake(tls);
    }

    Connection connect(Handshake handshake, long timeoutMs) throws SQLException, BridgeException {
        String url = url();
        long silenceMs = Math.min(timeoutMs, connectMs > 0 ? connectMs : MAX_CONNECT_MS);
        Connection connection = connect(handshake, url, properties(silenceMs));
        connection.setNetworkTimeout(Runnable::run,
                (int) Math.min(socketMs > 0 ? socketMs : timeoutMs + SOCKET_GRACE_MS,
                        Integer.MAX_VALUE));
        return connection;
    }

    /** A driver's own complaint (a login method it won't use, say) is no fault of the statement. */
    private static Connection connect(Handshake handshake, String url, Properties properties)
            throws SQLException {
        try {
            return handshake.run(() -> new com.mysql.cj.jdbc.Driver().connect(url, properties));
        } catch (SQLException e) {
            if (e.getErrorCode() != 0) {
                throw e;
            }
            throw new SQLNonTransientConnectionException(e.getMessage(), "08001", e);
        }
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

    private Properties properties(long silenceMs) {
        Properties all = new Properties();
        set(all, "user", user);
        set(all, "password", password);
        set(all, "dbname", database);
        all.setProperty("connectTimeout", Long.toString(silenceMs));
        all.setProperty("socketTimeout", Long.toString(silenceMs));
        all.setProperty("tcpKeepAlive", "true");
        all.setProperty("characterEncoding", "UTF-8");
        all.setProperty("useServerPrepStmts", "true");
        all.setProperty("tinyInt1isBit", "false");
        all.setProperty("yearIsDateType", "false");
        all.setProperty("zeroDateTimeBehavior", "CONVERT_TO_NULL");
        all.setProperty("connectionTimeZone", "UTC");
        all.setProperty("forceConnectionTimeZoneToSession", "true");
        all.setProperty("connectionAttributes", "program_name:spark-service");
        lockDown(all);
        return all;
    }

    /** Set last: whatever stands above, none of these can be had. */
    private void lockDown(Properties all) {
        all.setProperty("socketFactory", Handshake.SocketFactory.class.getName());
        all.setProperty("sslMode", tls.driverMode());
        all.setProperty("allowLoadLocalInfile", "false");
        all.setProperty("allowLoadLocalInfileInPath", "");
        all.setProperty("allowUrlInLocalInfile", "false");
        all.setProperty("allowMultiQueries", "false");
        all.setProperty("allowPublicKeyRetrieval", "false");
        all.setProperty("autoDeserialize", "false");
        all.setProperty("autoReconnect", "false");
        all.setProperty("dnsSrv", "false");
        all.setProperty("useConfigs", "");
        all.setProperty("propertiesTransform", "");
        all.setProperty("queryInterceptors", "");
        all.setProperty("exceptionInterceptors", "");
        all.setProperty("connectionLifecycleInterceptors", "");
        all.setProperty("authenticationPlugins", "");
        // The server names the method: none that sends the password as it is or reads a file.
        all.setProperty("disabledAuthenticationPlugins", DISABLED_METHODS);
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
