package sparkservice.bridge.mysql;

import com.fasterxml.jackson.databind.JsonNode;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import sparkservice.bridge.BridgeException;

/**
 * One statement on a connection of its own: prepared and executed once, as it is, in a read-only
 * session, its rows streamed.
 *
 * <p>A blocked read doesn't notice an interrupt; {@code cancel} cuts the connection, so that the read
 * ends whatever the server does, and kills the statement on the server through a second one. The rows
 * are read by a task; in local mode the task finds the statement here by its key.
 */
public final class RunningStatement implements AutoCloseable {
    private static final Map<String, RunningStatement> OPEN = new ConcurrentHashMap<>();
    private static final int MARIADB_SECOND_MS = 1000;
    private static final long KILL_TIMEOUT_MS = 5_000;

    private final String key;
    private final Address address;
    private final Handshake handshake;
    private final Connection connection;
    private final long connectionId;
    private final AtomicBoolean killed = new AtomicBoolean();
    private volatile boolean exhausted;
    private ResultSet rows;
    private List<Column> columns;

    private RunningStatement(String key, Address address, Handshake handshake,
            Connection connection) throws SQLException {
        this.key = key;
        this.address = address;
        this.handshake = handshake;
        this.connection = connection;
        this.connectionId = connection.unwrap(com.mysql.cj.jdbc.JdbcConnection.class)
                .getSession().getThreadId();
    }

    /**
     * Connects; {@code find(key)} gives it until it is closed.
     *
     * @param cancellable told of the way to cancel before anything can block
     */
    static RunningStatement connect(String key, Address address, long timeoutMs,
            Consumer<Runnable> cancellable) throws SQLException, BridgeException {
        Handshake handshake = address.handshake();
        cancellable.accept(handshake::cut);
        Connection connection = address.connect(handshake, timeoutMs);
        RunningStatement statement = new RunningStatement(key, address, handshake, connection);
        OPEN.put(key, statement);
        cancellable.accept(statement::cancel);
        return statement;
    }

    static RunningStatement find(String key) {
        return OPEN.get(key);
    }

    public static int openCount() {
        return OPEN.size();
    }

    /** For a text whose parameters were found by the usual rules of quoting. */
    void requireUsualQuotes() throws SQLException, BridgeException {
        try (Statement ask = connection.createStatement();
                ResultSet row = ask.executeQuery("SELECT @@SESSION.sql_mode")) {
            String mode = row.next() ? row.getString(1) : "";
            if (mode.contains("ANSI_QUOTES") || mode.contains("NO_BACKSLASH_ESCAPES")) {
                throw new BridgeException(BridgeException.Code.BAD_REQUEST,
                        "The server's sql_mode makes the quotes of this statement ambiguous for"
                        + " parameters; use engine direct.");
            }
        }
    }

    void execute(String sql, JsonNode values, long timeoutMs)
            throws SQLException, BridgeException {
        setUp(timeoutMs);
        PreparedStatement prepared = connection.prepareStatement(sql, ResultSet.TYPE_FORWARD_ONLY,
                ResultSet.CONCUR_READ_ONLY);
        // Connector/J's sign for "row by row": else it reads the whole result first.
        prepared.setFetchSize(Integer.MIN_VALUE);
        StatementValues.set(prepared, values);
        rows = prepared.executeQuery();
        columns = columnsOf(rows.getMetaData());
    }

    private void setUp(long timeoutMs) throws SQLException {
        boolean mariadb = connection.getMetaData().getDatabaseProductVersion().contains("MariaDB");
        try (Statement setup = connection.createStatement()) {
            if (!address.writes()) {
                setup.execute("SET SESSION TRANSACTION READ ONLY");
            }
            setup.execute(mariadb
                    ? "SET SESSION max_statement_time = " + (double) timeoutMs / MARIADB_SECOND_MS
                    : "SET SESSION max_execution_time = " + timeoutMs);
        }
    }

    private static List<Column> columnsOf(ResultSetMetaData all) throws SQLException {
        List<Column> columns = new ArrayList<>();
        for (int i = 1; i <= all.getColumnCount(); i++) {
            columns.add(Column.of(all, i));
        }
        return columns;
    }

    List<Column> columns() {
        return columns;
    }

    boolean nextRow() throws SQLException {
        if (!rows.next()) {
            exhausted = true;
            return false;
        }
        return true;
    }

    Object value(int column) throws SQLException {
        return columns.get(column).reader().read(rows, column + 1);
    }

    /** Doesn't wait: who reads is told at once, the statement dies on the server a little later. */
    void cancel() {
        handshake.cut();
        if (killed.compareAndSet(false, true)) {
            Thread killer = new Thread(this::kill, "mysql-kill-" + connectionId);
            killer.setDaemon(true);
            killer.start();
        }
    }

    private void kill() {
        try (Connection second = address.connect(address.handshake(), KILL_TIMEOUT_MS);
                Statement statement = second.createStatement()) {
            statement.execute("KILL QUERY " + connectionId);
        } catch (SQLException | BridgeException e) {
            // The server is gone or refuses; cutting the connection is all that is left.
        } finally {
            abort();
        }
    }

    private void abort() {
        try {
            connection.abort(Runnable::run);
        } catch (SQLException e) {
            // It is closed already.
        }
    }

    /** An unread rest is not fetched: closing would read it to its end. */
    @Override
    public void close() {
        OPEN.remove(key, this);
        if (exhausted) {
            try {
                connection.close();
            } catch (SQLException e) {
                abort();
            }
        } else {
            cancel();
        }
    }
}
