package sparkservice.bridge.mysql;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.time.LocalDate;
import java.time.LocalDateTime;

/**
 * The values for the question marks of a statement, in their order, as C has checked them:
 * {@code [{"kind":"integer","value":7}]} (jni/spark_engine.h).
 */
final class StatementValues {
    private StatementValues() {
    }

    static void set(PreparedStatement statement, JsonNode values) throws SQLException {
        for (int i = 0; values != null && i < values.size(); i++) {
            set(statement, i + 1, values.get(i).path("kind").asText(), values.get(i).get("value"));
        }
    }

    private static void set(PreparedStatement statement, int index, String kind, JsonNode value)
            throws SQLException {
        switch (kind) {
            case "null" -> statement.setNull(index, Types.NULL);
            case "boolean" -> statement.setLong(index, value.booleanValue() ? 1 : 0);
            case "integer" -> statement.setLong(index, value.longValue());
            case "double" -> statement.setDouble(index, value.doubleValue());
            case "text" -> statement.setString(index, value.textValue());
            case "decimal" -> statement.setBigDecimal(index, new BigDecimal(value.textValue()));
            case "date" -> statement.setObject(index, LocalDate.parse(value.textValue()));
            case "datetime" -> statement.setObject(index, LocalDateTime.parse(value.textValue()));
            default -> throw new IllegalArgumentException("A parameter of kind " + kind);
        }
    }
}
