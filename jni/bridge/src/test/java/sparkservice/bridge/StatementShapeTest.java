package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What of a statement may have another value, and what makes it another statement. */
class StatementShapeTest {
    private static String shape(String condition) {
        StatementShape shape = StatementShape.of("SELECT a FROM t WHERE " + condition);
        return shape == null ? null : shape.text();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', value = {"a = 1 | a = 2",
        "a >= 1 AND a<20 | a >= 7 AND a<8", "a < -5 | a < -6", "a <=> 'x' | a <=> 'some text'",
        "a != 1.5 | a != 2.7", "a == 2147483648 | a == 9999999999", "a <> 'é' | a <> ''",
        "a = 007 | a = 7", "a = .5 | a = .7"})
    void otherValuesHaveTheSameShape(String one, String other) {
        assertEquals(shape(one), shape(other));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', value = {"a = 1 | a = '1'",
        "a = 1 | a = 2147483648", "a = 1.5 | a = 1.55", "a = 1.5 | a = 11.5", "a = 1 | a >= 1",
        "a = 1 | A = 1", "a = 1 | a = 1L", "a = -1 | a = 1", "a = 1 AND b = 1 | a = 1 AND b = 1 + 1",
        "a + 1 = 1 | a + 2 = 1", "a = 1 LIMIT 1 | a = 1 LIMIT 2", "a = 'x' | a = 'it''s'",
        "a = 'x' | a = 'x' 'y'", "a = 'x' | a = '\\x'"})
    void otherStatementsHaveOthers(String one, String other) {
        assertNotEquals(shape(one), shape(other));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a > b", "a > 1e3", "a > 5D", "a > \"x\"", "a > DATE'2024-01-01'",
        "a > 9223372036854775808", "5 > a", "a LIKE 'x'", "`a > 5`", "a -- > 5", "a /* > 5 */",
        "a = r'x'", "a > 0.12345678901234567890", "a = \0INT\0", "a = 1 AND b = '\uD83D\uDE00'"})
    void isWithoutShape(String condition) {
        assertNull(shape(condition));
    }

    @Test
    void valuesAreThoseOfTheText() {
        StatementShape shape = StatementShape.of("SELECT a FROM t WHERE a > -5 AND b = 'x y'"
                + " AND c < 01.50 AND d = 3000000000");
        assertEquals(List.of("-5", "x y", "1.50", "3000000000"), shape.values().stream()
                .map(value -> value.literal().value().toString()).toList());
        assertEquals(List.of("INT", "STRING", "DECIMAL(3,2)", "BIGINT"), shape.values().stream()
                .map(value -> value.literal().dataType().sql()).toList());
    }

    @Test
    void aLongStatementHasNone() {
        assertNull(shape("a = 1" + " ".repeat(20_000)));
    }
}
