package sparkservice.bridge;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.antlr.v4.runtime.CharStreams;
import org.antlr.v4.runtime.Token;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.parser.SqlBaseLexer;
import org.apache.spark.sql.catalyst.parser.UpperCaseCharStream;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Decimal;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * A statement as Spark's own lexer reads it, with the type in the place of each plain literal behind
 * a comparison: statements of one shape have the same tokens but for values of the same types, so
 * that they are parsed to the same tree with other values in it.
 */
final class StatementShape {
    private static final Set<Integer> COMPARISONS = Set.of(SqlBaseLexer.EQ, SqlBaseLexer.NSEQ,
            SqlBaseLexer.NEQ, SqlBaseLexer.NEQJ, SqlBaseLexer.LT, SqlBaseLexer.LTE, SqlBaseLexer.GT,
            SqlBaseLexer.GTE);
    /** In no statement that has a shape. */
    private static final char MARK = '\0';
    /** A literal of more digits is rare, and its type has rules of its own. */
    private static final int MAX_DIGITS = 18;
    private static final int MAX_LENGTH = 16_384;

    /** A literal, from its first character to its last. */
    record Value(int start, int stop, Literal literal) {
    }

    private final String text;
    private final List<Value> values;

    private StatementShape(String text, List<Value> values) {
        this.text = text;
        this.values = values;
    }

    /** Null: nothing in it is compared with a plain literal. */
    static StatementShape of(String sql) {
        if (sql.length() > MAX_LENGTH || sql.indexOf(MARK) >= 0
                || sql.chars().anyMatch(c -> Character.isSurrogate((char) c))) {
            return null;
        }
        List<Value> values = values(sql);
        if (values.isEmpty()) {
            return null;
        }
        StringBuilder text = new StringBuilder(sql.length());
        int end = 0;
        for (Value value : values) {
            text.append(sql, end, value.start).append(MARK)
                    .append(sql.charAt(value.start) == '-' ? "-" : "")
                    .append(value.literal.dataType().sql()).append(MARK);
            end = value.stop + 1;
        }
        return new StatementShape(text.append(sql, end, sql.length()).toString(), values);
    }

    private static List<Value> values(String sql) {
        SqlBaseLexer lexer = new SqlBaseLexer(
                new UpperCaseCharStream(CharStreams.fromString(sql)));
        lexer.removeErrorListeners();
        List<Value> values = new ArrayList<>();
        int before = Token.EOF;
        Token last = null;
        for (Token token = lexer.nextToken(); token.getType() != Token.EOF;
                token = lexer.nextToken()) {
            if (token.getChannel() != Token.DEFAULT_CHANNEL) {
                continue;
            }
            boolean isNegative = last != null && last.getType() == SqlBaseLexer.MINUS;
            if (last != null && COMPARISONS.contains(isNegative ? before : last.getType())) {
                int start = isNegative ? last.getStartIndex() : token.getStartIndex();
                Literal literal = literal(token.getType(), isNegative,
                        sql.substring(token.getStartIndex(), token.getStopIndex() + 1));
                if (literal != null) {
                    values.add(new Value(start, token.getStopIndex(), literal));
                }
            }
            before = last == null ? Token.EOF : last.getType();
            last = token;
        }
        return values;
    }

    /** What the parser makes of it; null where that isn't plain. */
    private static Literal literal(int type, boolean isNegative, String text) {
        if (type == SqlBaseLexer.STRING_LITERAL) {
            return isNegative ? null : string(text);
        } else if (type != SqlBaseLexer.INTEGER_VALUE && type != SqlBaseLexer.DECIMAL_VALUE
                || text.length() > MAX_DIGITS) {
            return null;
        }
        BigDecimal number = new BigDecimal(isNegative ? "-" + text : text);
        if (type == SqlBaseLexer.DECIMAL_VALUE) {
            return new Literal(Decimal.apply(number), DecimalType.apply(
                    Math.max(number.precision(), number.scale()), number.scale()));
        }
        long value = number.longValueExact();
        return value == (int) value ? new Literal((int) value, DataTypes.IntegerType)
                : new Literal(value, DataTypes.LongType);
    }

    private static Literal string(String text) {
        String inner = text.substring(1, Math.max(1, text.length() - 1));
        boolean isPlain = text.length() > 1 && text.startsWith("'") && text.endsWith("'")
                && inner.indexOf('\'') < 0 && inner.indexOf('\\') < 0;
        return isPlain ? new Literal(UTF8String.fromString(inner), DataTypes.StringType) : null;
    }

    /** Of all statements of this shape. */
    String text() {
        return text;
    }

    /** Of this statement, from left to right. */
    List<Value> values() {
        return values;
    }
}
