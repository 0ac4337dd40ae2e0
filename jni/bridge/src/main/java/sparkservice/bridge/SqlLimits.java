package sparkservice.bridge;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Locale;

/**
 * How large a statement, and what it makes, may get: the settings MAX_SQL_DEPTH and so on. What goes
 * beyond is a 422 that names the limit.
 */
record SqlLimits(long maxDepth, long maxNodes, long maxInItems, long maxValueBytes, long maxRows,
        long memoryPercent) {

    /** Each is an error class LIMIT_EXCEEDED.…, by which the service counts it. */
    enum Limit {
        DEPTH, NODES, IN_ITEMS, VALUE_BYTES, RESULT_ROWS, PATTERN, MEMORY
    }

    /** "Statement too complex" and "program limit exceeded" of SQLSTATE class 54, as PostgreSQL has. */
    private static final String TOO_COMPLEX = "54001";
    private static final String LIMIT_EXCEEDED = "54000";

    static SqlLimits of(JsonNode config) {
        return new SqlLimits(Json.number(config, "max_sql_depth", 500),
                Json.number(config, "max_sql_nodes", 100_000),
                Json.number(config, "max_in_items", 10_000),
                Json.number(config, "max_value_bytes", 64L << 20),
                Json.number(config, "max_result_rows", 1_000_000_000_000L),
                Json.number(config, "memory_guard_percent", 85));
    }

    void checkDepth(long depth) throws BridgeException {
        if (depth > maxDepth) {
            throw exceeded(Limit.DEPTH, TOO_COMPLEX, "The statement is nested too deeply: more than "
                    + maxDepth + " levels (MAX_SQL_DEPTH).", null);
        }
    }

    void checkNodes(long nodes) throws BridgeException {
        if (nodes > maxNodes) {
            throw exceeded(Limit.NODES, TOO_COMPLEX, "The statement grows to more than " + maxNodes
                    + " nodes, its WITH and stars written out (MAX_SQL_NODES).", null);
        }
    }

    void checkInItems(long items) throws BridgeException {
        if (items > maxInItems) {
            throw exceeded(Limit.IN_ITEMS, TOO_COMPLEX, "An IN list has " + items
                    + " items; MAX_IN_ITEMS is " + maxInItems + ".", null);
        }
    }

    void checkRows(double rows) throws BridgeException {
        if (rows > maxRows) {
            throw exceeded(Limit.RESULT_ROWS, LIMIT_EXCEEDED, String.format(Locale.ROOT,
                    "The statement would answer at least %.0f rows; MAX_RESULT_ROWS is %d.", rows,
                    maxRows), null);
        }
    }

    static BridgeException valueTooLarge(String function, long bytes, long maxBytes) {
        return exceeded(Limit.VALUE_BYTES, LIMIT_EXCEEDED, "A value of " + function
                + " would have about " + bytes + " bytes; MAX_VALUE_BYTES is " + maxBytes + ".",
                null);
    }

    static BridgeException patternTooDeep() {
        return exceeded(Limit.PATTERN, TOO_COMPLEX,
                "The pattern recurses too deeply over this text.", null);
    }

    static BridgeException stackUsedUp(Throwable cause) {
        return exceeded(Limit.DEPTH, TOO_COMPLEX,
                "The statement is nested too deeply (MAX_SQL_DEPTH).", cause);
    }

    static BridgeException memoryUsedUp() {
        return exceeded(Limit.MEMORY, "53200", "The query was ended: the engine's heap was nearly"
                + " full (MEMORY_GUARD_PERCENT, HEAP), and this query was filling it.", null);
    }

    private static BridgeException exceeded(Limit limit, String sqlState, String detail,
            Throwable cause) {
        return new BridgeException(BridgeException.Code.SQL_ERROR, detail, sqlState,
                "LIMIT_EXCEEDED." + limit.name(), 0, 0, cause);
    }
}
