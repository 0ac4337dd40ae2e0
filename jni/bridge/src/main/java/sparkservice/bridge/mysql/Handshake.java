package sparkservice.bridge.mysql;

import com.mysql.cj.conf.PropertySet;
import com.mysql.cj.log.Log;
import com.mysql.cj.protocol.ServerSession;
import com.mysql.cj.protocol.SocketConnection;
import com.mysql.cj.protocol.StandardSocketFactory;
import java.io.Closeable;
import java.io.IOException;
import java.net.Socket;
import java.sql.SQLException;

/**
 * How a connection is made, and its socket: a cancel closes it, whether the server never finishes its
 * greeting or never answers a statement.
 */
final class Handshake {
    /** Of the thread that connects: Connector/J makes its socket factory by name. */
    private static final ThreadLocal<Handshake> CURRENT = new ThreadLocal<>();

    private final Tls tls;
    private Socket socket;
    private boolean isCut;

    Handshake(Tls tls) {
        this.tls = tls;
    }

    interface Connect<T> {
        T call() throws SQLException;
    }

    <T> T run(Connect<T> connect) throws SQLException {
        CURRENT.set(this);
        try {
            return connect.call();
        } finally {
            CURRENT.remove();
        }
    }

    /** From another thread, perhaps several times; doesn't wait. */
    synchronized void cut() {
        isCut = true;
        if (socket != null) {
            close(socket);
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // It is of no more use either way.
        }
    }

    private synchronized void use(Socket made) throws IOException {
        socket = made;
        if (isCut) {
            close(made);
            throw new IOException("cancelled");
        }
    }

    /** Connector/J's way in; made by name ({@code socketFactory}). */
    public static final class SocketFactory extends StandardSocketFactory {
        private final Handshake handshake = CURRENT.get();

        @Override
        protected Socket createSocket(PropertySet properties) {
            Socket made = super.createSocket(properties);
            try {
                handshake.use(made);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
            return made;
        }

        @Override
        public <T extends Closeable> T performTlsHandshake(SocketConnection connection,
                ServerSession session) throws IOException {
            return performTlsHandshake(connection, session, null);
        }

        @Override
        @SuppressWarnings("unchecked") // what the interface makes of every socket
        public <T extends Closeable> T performTlsHandshake(SocketConnection connection,
                ServerSession session, Log log) throws IOException {
            if (!handshake.tls.checksOrShows()) {
                return super.performTlsHandshake(connection, session, log);
            }
            sslSocket = handshake.tls.handshake(rawSocket, host, port);
            return (T) sslSocket;
        }
    }
}
