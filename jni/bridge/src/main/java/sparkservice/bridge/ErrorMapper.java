package sparkservice.bridge;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.FileNotFoundException;
import java.sql.SQLException;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.spark.QueryContext;
import org.apache.spark.SparkThrowable;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.catalyst.parser.ParseException;
import sparkservice.bridge.BridgeException.Code;

/**
 * Any Throwable to one row of the error table: SQLSTATE, error class and place are Spark's own.
 *
 * <p>The most telling cause of the chain wins: a refusal of ours, then the innermost error of
 * Spark's catalogue that is not an internal one, then what Java itself says.
 */
final class ErrorMapper {
    /** Unknown table or view, unknown schema. */
    private static final Set<String> MISSING = Set.of("42P01", "42704");
    private static final Pattern CLASS_PREFIX = Pattern.compile("^\\[[A-Z0-9_.]+\\] ");
    private static final Pattern STATE_SUFFIX = Pattern.compile(" ?SQLSTATE: [0-9A-Z]{5}.*$");
    private static final Pattern PLACE_SUFFIX = Pattern.compile(" ?; line \\d+,? pos \\d+.*$");
    private static final Pattern FILE_NAME =
            Pattern.compile("(?:[a-z][a-z0-9]*:)?/(?:/[^/\\s]*)?(?:[^\\s'\"`,;:()\\[\\]]+)");

    private final String sql;

    ErrorMapper(String sql) {
        this.sql = sql;
    }

    BridgeException map(Throwable thrown, boolean cancelled) {
        if (cancelled) {
            return BridgeException.cancelled();
        }
        Throwable best = null;
        boolean isMissing = false;
        Map<Throwable, Boolean> seen = new IdentityHashMap<>();
        for (Throwable t = thrown; t != null && seen.put(t, true) == null; t = t.getCause()) {
            if (t instanceof BridgeException refusal) {
                return refusal;
            }
            if (RootGuard.isRefusal(t)) {
                return new BridgeException(Code.FORBIDDEN,
                        "The table names a path outside the data roots.", thrown);
            }
            isMissing |= t instanceof FileNotFoundException;
            if (t instanceof SQLException mysql) {
                return MysqlErrors.map(mysql);
            }
            if (t instanceof StackOverflowError) {
                return SqlLimits.stackUsedUp(thrown);
            }
            if (t instanceof OutOfMemoryError) {
                return new BridgeException(Code.ENGINE_ERROR, "The engine ran out of memory.",
                        "53200", null, 0, 0, thrown);
            }
            if (t instanceof SparkThrowable spark && isTelling(spark)) {
                best = t;
            }
        }
        if (best != null) {
            return spark(best, (SparkThrowable) best);
        }
        if (isMissing) { // a table's own metadata names it, or it went while it was read
            return new BridgeException(Code.SOURCE_ERROR,
                    "A file that the table names is not there.", thrown);
        }
        return other(thrown);
    }

    private static boolean isTelling(SparkThrowable spark) {
        String state = spark.getSqlState();
        return spark instanceof AnalysisException
                || state != null && !state.startsWith("XX") && !state.startsWith("58");
    }

    /** Whether it says that a table, view or namespace doesn't exist. */
    static boolean isMissingTable(Throwable thrown) {
        for (Throwable t = thrown; t != null; t = t.getCause()) {
            if (t instanceof SparkThrowable spark && MISSING.contains(
                    String.valueOf(spark.getSqlState()))) {
                return true;
            }
        }
        return false;
    }

    private BridgeException spark(Throwable thrown, SparkThrowable spark) {
        String state = spark.getSqlState();
        String errorClass = SparkLine.errorClass(spark);
        int[] place = place(thrown, spark);
        return new BridgeException(code(state, errorClass), message(thrown), state, errorClass,
                place[0], place[1], thrown);
    }

    /** Classes of SQLSTATE, ISO 9075 and Spark's own (error-conditions.json, README). */
    private static Code code(String state, String errorClass) {
        if ("PATH_NOT_FOUND".equals(errorClass)) {
            return Code.NOT_FOUND;
        }
        if (state == null) {
            return Code.SQL_ERROR;
        }
        return switch (state.substring(0, 2)) {
            case "08", "KD" -> Code.SOURCE_ERROR;
            case "XX", "58", "57", "F0", "HV" -> Code.ENGINE_ERROR;
            default -> Code.SQL_ERROR;
        };
    }

    private int[] place(Throwable thrown, SparkThrowable spark) {
        if (thrown instanceof ParseException parse) {
            return new int[] {number(parse.line(), 0), number(parse.startPosition(), -1) + 1};
        }
        if (thrown instanceof AnalysisException analysis && analysis.line().isDefined()) {
            return new int[] {number(analysis.line(), 0), number(analysis.startPosition(), -1) + 1};
        }
        QueryContext[] contexts = spark.getQueryContext();
        if (contexts != null && contexts.length > 0) {
            return placeOf(startIndex(contexts[0]));
        }
        return new int[] {0, 0};
    }

    private static int startIndex(QueryContext context) {
        try {
            return context.startIndex();
        } catch (RuntimeException e) {
            // Contexts of DataFrame calls have no place in the text.
            return -1;
        }
    }

    private int[] placeOf(int index) {
        if (index < 0 || index >= sql.length()) {
            return new int[] {0, 0};
        }
        int line = 1;
        int lineStart = 0;
        for (int i = 0; i < index; i++) {
            if (sql.charAt(i) == '\n') {
                line++;
                lineStart = i + 1;
            }
        }
        return new int[] {line, sql.codePointCount(lineStart, index) + 1};
    }

    private static int number(scala.Option<Object> option, int absent) {
        return option.isDefined() ? (int) option.get() : absent;
    }

    private static BridgeException other(Throwable thrown) {
        if (thrown instanceof JsonProcessingException) {
            return BridgeException.badRequest("Not JSON: " + firstLine(thrown.getMessage()));
        }
        if (thrown instanceof java.io.FileNotFoundException) {
            return new BridgeException(Code.SOURCE_ERROR,
                    "A file of the table does not exist any more.", thrown);
        }
        Throwable root = thrown;
        while (root.getCause() != null && root.getCause() != root) {
            root = root.getCause();
        }
        if (String.valueOf(root.getMessage()).contains("is not a Parquet file")) {
            return new BridgeException(Code.SQL_ERROR, "A file of the path is not a Parquet file.",
                    thrown);
        }
        String message = root.getMessage() == null ? "" : ": " + hidePaths(firstLine(
                root.getMessage()));
        return new BridgeException(Code.ENGINE_ERROR, root.getClass().getSimpleName() + message,
                thrown);
    }

    private static String message(Throwable thrown) {
        String text = thrown instanceof AnalysisException analysis ? analysis.getSimpleMessage()
                : thrown.getMessage();
        if (thrown instanceof ParseException) {
            text = text.strip();
        }
        String line = firstLine(text);
        line = CLASS_PREFIX.matcher(line).replaceFirst("");
        line = STATE_SUFFIX.matcher(line).replaceFirst("");
        return PLACE_SUFFIX.matcher(line).replaceFirst("").strip();
    }

    static String firstLine(String text) {
        if (text == null) {
            return "";
        }
        String stripped = text.strip();
        int end = stripped.indexOf('\n');
        return end < 0 ? stripped : stripped.substring(0, end).strip();
    }

    /** Java's own messages name files of the machine. */
    private static String hidePaths(String text) {
        return FILE_NAME.matcher(text).replaceAll("(path)");
    }
}
