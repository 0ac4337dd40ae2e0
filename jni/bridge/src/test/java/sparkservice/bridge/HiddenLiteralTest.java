package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.apache.spark.metrics.source.CodegenMetrics;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A filter with another value has the same code, and the rows of that value. */
class HiddenLiteralTest {
    private static final String ROWS = "(SELECT id, CAST(id AS INT) AS i, CAST(id AS TINYINT) AS t,"
            + " id / 4D AS d, CAST(id AS FLOAT) AS f, CAST(id AS STRING) AS s,"
            + " CAST(id AS DECIMAL(9, 2)) AS p, CAST(id AS DECIMAL(38, 2)) AS w, id % 2 = 0 AS b,"
            + " date_add(DATE'2024-01-01', CAST(id AS INT)) AS day,"
            + " TIMESTAMP'2024-01-01 00:00:00' + id * INTERVAL 1 HOUR AS at,"
            + " TIMESTAMP_NTZ'2024-01-01 00:00:00' + id * INTERVAL 1 HOUR AS local,"
            + " CAST(CAST(id AS STRING) AS BINARY) AS x FROM range(0, 100, 1, 2))";

    @BeforeAll
    static void start() throws Exception {
        TestEngine.start();
    }

    private static List<List<String>> rows(String sql) throws Exception {
        return TestEngine.rows(TestEngine.query("parquet", sql));
    }

    @ParameterizedTest
    @ValueSource(strings = {"id > 41", "i <= 7", "t = 3", "d < 2.25", "d >= 0.5D", "f <> 9", "s > '5'",
        "p = 12.00", "w > 77.5", "b = true", "NOT b <=> true", "day > DATE'2024-02-01'",
        "at < TIMESTAMP'2024-01-02 03:00:00'", "local >= TIMESTAMP_NTZ'2024-01-03 00:00:00'",
        "x = X'3432'", "id > 5 AND (s < '3' OR i = 99)", "id + 1 > 10 AND 50 > id", "s = NULL",
        "id IN (1, 2, 3) AND d <> 0.5"})
    void findsTheSameRows(String condition) throws Exception {
        assertEquals(rows("SELECT count_if(" + condition + ") FROM " + ROWS),
                rows("SELECT count(*) FROM " + ROWS + " WHERE " + condition));
    }

    @Test
    void anotherValueIsNotCompiledAnew() throws Exception {
        String sql = "SELECT id, s FROM " + ROWS + " WHERE s > '1' AND id = ";
        assertEquals(List.of(List.of("7", "7")), rows(sql + 7));
        long compiled = CodegenMetrics.METRIC_COMPILATION_TIME().getCount();
        for (int id = 20; id < 25; id++) {
            assertEquals(List.of(List.of("" + id, "" + id)), rows(sql + id));
        }
        long after = CodegenMetrics.METRIC_COMPILATION_TIME().getCount();
        assertTrue(after == compiled, (after - compiled) + " compiled");
    }
}
