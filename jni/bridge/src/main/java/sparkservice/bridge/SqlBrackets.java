package sparkservice.bridge;

/** How deep the brackets of a statement nest; those in quotes and comments don't count. */
final class SqlBrackets {
    private final String sql;
    private int at;

    private SqlBrackets(String sql) {
        this.sql = sql;
    }

    /**
     * Before the parser runs: its time grows with the square of the depth, and nothing can interrupt
     * it.
     */
    static void check(String sql, SqlLimits limits) throws BridgeException {
        new SqlBrackets(sql).check(limits);
    }

    private void check(SqlLimits limits) throws BridgeException {
        int depth = 0;
        while (at < sql.length()) {
            char c = sql.charAt(at);
            if (c == '(' || c == '[') {
                limits.checkDepth(++depth);
            } else if (c == ')' || c == ']') {
                depth = Math.max(0, depth - 1);
            } else if (c == '\'' || c == '"' || c == '`') {
                skipQuoted(c);
            } else if (sql.startsWith("--", at)) {
                skipLine();
            } else if (sql.startsWith("/*", at)) {
                skipComment();
            }
            at++;
        }
    }

    /** A doubled quote ends one part and begins the next. */
    private void skipQuoted(char quote) {
        at++;
        while (at < sql.length() && sql.charAt(at) != quote) {
            at += sql.charAt(at) == '\\' && quote != '`' ? 2 : 1;
        }
    }

    /** A backslash before the end of the line joins the next one to it. */
    private void skipLine() {
        while (at < sql.length() && sql.charAt(at) != '\n') {
            at += sql.charAt(at) == '\\' ? 2 : 1;
        }
    }

    /** Comments in brackets nest. */
    private void skipComment() {
        int depth = 0;
        while (at < sql.length()) {
            if (sql.startsWith("/*", at)) {
                depth++;
                at += 2;
            } else if (sql.startsWith("*/", at)) {
                at++;
                if (--depth == 0) {
                    return;
                }
                at++;
            } else {
                at++;
            }
        }
    }
}
