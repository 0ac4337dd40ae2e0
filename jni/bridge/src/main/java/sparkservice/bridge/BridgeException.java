package sparkservice.bridge;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * A failure that a caller may see: one row of the error table of the HTTP contract.
 *
 * <p>Line and column are 1-based, 0 when unknown. The detail is one short line without stack
 * traces, credentials or paths outside the data roots.
 */
public final class BridgeException extends Exception {

    /** The codes an engine may answer with; the names are those of the wire. */
    public enum Code {
        BAD_REQUEST, FORBIDDEN, NOT_FOUND, CANCELLED, SQL_ERROR, ENGINE_ERROR, SOURCE_ERROR,
        TIMEOUT, STORAGE_FULL;

        String wireName() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    private static final int MAX_DETAIL_CHARS = 900;

    private final Code code;
    private final String sqlState;
    private final String errorClass;
    private final int line;
    private final int column;

    public BridgeException(Code code, String detail) {
        this(code, detail, null, null, 0, 0, null);
    }

    public BridgeException(Code code, String detail, Throwable cause) {
        this(code, detail, null, null, 0, 0, cause);
    }

    public BridgeException(Code code, String detail, String sqlState, String errorClass, int line,
            int column, Throwable cause) {
        super(cut(detail), cause);
        this.code = code;
        this.sqlState = sqlState;
        this.errorClass = errorClass;
        this.line = line;
        this.column = column;
    }

    static BridgeException badRequest(String detail) {
        return new BridgeException(Code.BAD_REQUEST, detail);
    }

    static BridgeException forbidden(String detail) {
        return new BridgeException(Code.FORBIDDEN, detail);
    }

    static BridgeException notFound(String detail) {
        return new BridgeException(Code.NOT_FOUND, detail);
    }

    static BridgeException cancelled() {
        return new BridgeException(Code.CANCELLED, "The query was cancelled.");
    }

    public Code code() {
        return code;
    }

    public String sqlState() {
        return sqlState;
    }

    public String errorClass() {
        return errorClass;
    }

    public int line() {
        return line;
    }

    public int column() {
        return column;
    }

    /** {@code {"error":{"code":…}}} as UTF-8; what is unknown is left out. */
    byte[] toJson() {
        ObjectNode error = Json.object();
        error.put("code", code.wireName());
        if (sqlState != null) {
            error.put("sqlstate", sqlState);
        }
        if (errorClass != null) {
            error.put("error_class", errorClass);
        }
        error.put("detail", getMessage());
        if (line > 0) {
            error.put("line", line);
        }
        if (column > 0) {
            error.put("column", column);
        }
        error.put("retryable", code == Code.SOURCE_ERROR || code == Code.STORAGE_FULL);
        return Json.bytes(Json.object().set("error", error));
    }

    private static String cut(String detail) {
        if (detail == null || detail.length() <= MAX_DETAIL_CHARS) {
            return detail;
        }
        int end = MAX_DETAIL_CHARS;
        if (Character.isHighSurrogate(detail.charAt(end - 1))) {
            end--;
        }
        return detail.substring(0, end) + "…";
    }
}
