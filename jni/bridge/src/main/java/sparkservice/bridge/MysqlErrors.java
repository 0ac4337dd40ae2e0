package sparkservice.bridge;

import java.sql.DataTruncation;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.util.Map;
import java.util.Set;
import sparkservice.bridge.BridgeException.Code;

/** MySQL's and MariaDB's errors, by their numbers (MySQL server error reference). */
final class MysqlErrors {
    /** Access denied: to a database, to the user, to a table or column, a missing privilege. */
    private static final Set<Integer> DENIED = Set.of(1044, 1045, 1142, 1143, 1227, 1370, 1698);
    /** Unknown database; too many connections; host blocked; shutdown; killed; packet or lock. */
    private static final Set<Integer> SOURCE = Set.of(1049, 1040, 1203, 1226, 1129, 1130, 1053, 1317,
            1927, 1153, 1205, 1213);
    /** MySQL's max_execution_time, MariaDB's max_statement_time. */
    private static final Set<Integer> TIMEOUT = Set.of(3024, 1969);
    /** The transaction is read-only. */
    private static final Set<Integer> READ_ONLY = Set.of(1792, 1290, 1836);

    /** Connector/J's own: executeQuery of something else than a query. */
    private static final String NO_ROWS = "S1009";
    /** Connector/J's own: a question mark without a value. */
    private static final String UNBOUND = "07001";

    /** Connector/J makes every class 22 a DataTruncation of 22001; the server's own SQLSTATE. */
    private static final Map<Integer, String> DATA_STATES = Map.of(1264, "22003", 1690, "22003",
            1292, "22007", 1365, "22012", 3037, "22023", 3140, "22032", 3141, "22032");
    private static final String DATA_PREFIX = "Data truncation: ";

    private MysqlErrors() {
    }

    static BridgeException map(SQLException e) {
        int number = e.getErrorCode();
        String state = e.getSQLState() == null || e.getSQLState().length() != 5 ? null
                : e.getSQLState();
        if (e instanceof DataTruncation) {
            state = DATA_STATES.getOrDefault(number, state);
        }
        return new BridgeException(code(e, number, state), detail(e, number, state), state, null, 0,
                0, e);
    }

    private static Code code(SQLException e, int number, String state) {
        if (TIMEOUT.contains(number) || e instanceof SQLTimeoutException) {
            return Code.TIMEOUT;
        } else if (READ_ONLY.contains(number) || NO_ROWS.equals(state)) {
            return Code.FORBIDDEN;
        } else if (UNBOUND.equals(state)) {
            return Code.SQL_ERROR;
        } else if (DENIED.contains(number) || SOURCE.contains(number) || number == 0
                || state == null || state.startsWith("08") || state.startsWith("28")) {
            return Code.SOURCE_ERROR;
        }
        return Code.SQL_ERROR;
    }

    /** The server's own words, but for those that repeat the account or the network. */
    private static String detail(SQLException e, int number, String state) {
        if (DENIED.contains(number) || state != null && state.startsWith("28")) {
            return "MySQL denied access (error " + number + ").";
        }
        if (NO_ROWS.equals(state)) {
            return "This MySQL statement is not allowed: it does not produce rows.";
        } else if (UNBOUND.equals(state)) {
            return "The statement has a parameter marker '?'; write :name and give params.";
        }
        if (number == 0 || state == null || state.startsWith("08")) {
            return "MySQL could not be reached, or the connection broke.";
        }
        String line = ErrorMapper.firstLine(e.getMessage());
        return e instanceof DataTruncation && line.startsWith(DATA_PREFIX)
                ? line.substring(DATA_PREFIX.length()) : line;
    }
}
