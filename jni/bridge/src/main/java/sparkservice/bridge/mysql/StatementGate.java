package sparkservice.bridge.mysql;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import sparkservice.bridge.BridgeException;
import sparkservice.bridge.BridgeException.Code;

/**
 * What a MySQL statement may be, by its words outside comments and quotes.
 *
 * <p>The statement runs as it is, in a read-only transaction of an account that the operator chose;
 * this gate is for a clear answer and for what a read-only transaction lets through (INTO OUTFILE,
 * administrative statements).
 */
final class StatementGate {
    private static final Set<String> QUERIES = Set.of("SELECT", "WITH", "VALUES", "TABLE");
    /** What else may follow the definitions of a WITH. */
    private static final Set<String> WITH_WRITES = Set.of("DELETE", "UPDATE", "INSERT", "REPLACE");
    private static final Set<String> SHOWN = Set.of("TABLES", "COLUMNS", "FIELDS");
    private static final Set<String> SHOW_MODIFIERS = Set.of("FULL", "EXTENDED");
    /** DESCRIBE before one of these is EXPLAIN, which can run a statement. */
    private static final Set<String> EXPLAINED = Set.of("SELECT", "INSERT", "UPDATE", "DELETE",
            "REPLACE", "WITH", "TABLE", "VALUES", "ANALYZE", "EXTENDED", "PARTITIONS", "FORMAT",
            "FOR", "(");
    /** How MySQL's and MariaDB's other statements begin. */
    private static final Set<String> OTHER_VERBS = Set.of("ALTER", "ANALYZE", "BACKUP", "BEGIN",
            "BINLOG", "CACHE", "CALL", "CHANGE", "CHECK", "CHECKSUM", "CLONE", "COMMIT", "CREATE",
            "DEALLOCATE", "DELETE", "DELIMITER", "DO", "DROP", "EXECUTE", "EXPLAIN", "FLUSH", "GET",
            "GRANT", "HANDLER", "HELP", "IMPORT", "INSERT", "INSTALL", "KILL", "LOAD", "LOCK",
            "MERGE", "OPTIMIZE", "PREPARE", "PURGE", "RELEASE", "RENAME", "REPAIR", "REPLACE",
            "RESET", "RESIGNAL", "RESTART", "REVOKE", "ROLLBACK", "SAVEPOINT", "SET", "SHUTDOWN",
            "SIGNAL", "START", "STOP", "TRUNCATE", "UNINSTALL", "UNLOCK", "UPDATE", "USE", "XA");
    private static final Set<String> REFUSED_WORDS = Set.of("OUTFILE", "DUMPFILE", "LOAD_FILE",
            "FOUND_ROWS");

    private StatementGate() {
    }

    static void check(String sql) throws BridgeException {
        List<String> words = words(sql);
        for (String word : words) {
            if (REFUSED_WORDS.contains(word)) {
                throw refused(word);
            }
        }
        int first = 0;
        while (first < words.size() && words.get(first).equals("(")) {
            first++;
        }
        if (first == words.size()) {
            throw new BridgeException(Code.SQL_ERROR, "The statement is empty.", "42000", null, 0, 0,
                    null);
        }
        String verb = words.get(first);
        List<String> rest = words.subList(first + 1, words.size());
        if (verb.equals("WITH")) {
            checkWith(rest);
        }
        boolean allowed = QUERIES.contains(verb)
                || first == 0 && verb.equals("SHOW") && isShow(rest)
                || first == 0 && (verb.equals("DESCRIBE") || verb.equals("DESC"))
                        && !rest.isEmpty() && !EXPLAINED.contains(rest.get(0));
        if (!allowed) {
            throw OTHER_VERBS.contains(verb) || first == 0 && verb.equals("SHOW")
                    || verb.startsWith("DESC") ? refused(verb) : unknown(verb);
        }
    }

    /** The definitions of a WITH are all in brackets; the verb is the first word behind them. */
    private static void checkWith(List<String> rest) throws BridgeException {
        int depth = 0;
        for (String word : rest) {
            depth += word.equals("(") ? 1 : word.equals(")") ? -1 : 0;
            if (depth == 0 && QUERIES.contains(word)) {
                return;
            } else if (depth == 0 && WITH_WRITES.contains(word)) {
                throw refused(word);
            }
        }
    }

    private static boolean isShow(List<String> rest) {
        int i = 0;
        while (i < rest.size() && SHOW_MODIFIERS.contains(rest.get(i))) {
            i++;
        }
        return i < rest.size() && SHOWN.contains(rest.get(i));
    }

    /** Not sent to the server either, but a slip and not an attempt. */
    private static BridgeException unknown(String word) {
        return new BridgeException(Code.SQL_ERROR, "A query begins with SELECT, WITH, VALUES, TABLE,"
                + " SHOW or DESCRIBE, not with " + word + ".", "42000", null, 1, 0, null);
    }

    private static BridgeException refused(String word) {
        return new BridgeException(Code.FORBIDDEN,
                "This MySQL statement or clause is not allowed: " + word);
    }

    /** Upper-case words, brackets, and a mark for each quoted part. */
    private static List<String> words(String sql) throws BridgeException {
        List<String> words = new ArrayList<>();
        int i = 0;
        while (i < sql.length()) {
            char c = sql.charAt(i);
            if (c == '\'' || c == '"' || c == '`') {
                i = afterQuoted(sql, i, c);
                words.add("'");
            } else if (c == '#' || sql.startsWith("--", i) && isLineComment(sql, i)) {
                i = after(sql, "\n", i);
            } else if (sql.startsWith("/*", i)) {
                // The server executes what is in these.
                if (sql.startsWith("/*!", i) || sql.startsWith("/*M!", i)) {
                    throw refused("executable comment");
                }
                i = after(sql, "*/", i + 2);
            } else if (Character.isLetter(c) || c == '_') {
                int end = i + 1;
                while (end < sql.length() && isWordPart(sql.charAt(end))) {
                    end++;
                }
                words.add(sql.substring(i, end).toUpperCase(Locale.ROOT));
                i = end;
            } else {
                if (c == '(' || c == ')') {
                    words.add(String.valueOf(c));
                }
                i++;
            }
        }
        return words;
    }

    private static boolean isWordPart(char c) {
        return Character.isLetterOrDigit(c) || c == '_' || c == '$';
    }

    /** Two dashes begin a comment only before white space or the end. */
    private static boolean isLineComment(String sql, int dashes) {
        return dashes + 2 >= sql.length() || sql.charAt(dashes + 2) <= ' ';
    }

    private static int after(String sql, String end, int from) {
        int at = sql.indexOf(end, from);
        return at < 0 ? sql.length() : at + end.length();
    }

    private static int afterQuoted(String sql, int start, char quote) {
        int i = start + 1;
        while (i < sql.length()) {
            char c = sql.charAt(i);
            if (c == '\\' && quote != '`') {
                i += 2;
            } else if (c == quote) {
                return i + 1;
            } else {
                i++;
            }
        }
        return sql.length();
    }
}
