package sparkservice.bridge.mysql;

import com.fasterxml.jackson.databind.JsonNode;
import com.mysql.cj.jdbc.JdbcConnection;
import java.math.BigDecimal;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.time.LocalDate;
import java.time.LocalDateTime;
import sparkservice.bridge.BridgeException;

/**
 * The values for the question marks of a statement, in their order, as C has checked them:
 * {@code [{"kind":"integer","value":7}]} (jni/spark_engine.h).
 */
final class StatementValues {
    private StatementValues() {
    }

    static void set(PreparedStatement statement, JsonNode values)
            throws SQLException, BridgeException {
        for (int i = 0; values != null && i < values.size(); i++) {
            set(statement, i + 1, values.get(i).path("kind").asText(), values.get(i).get("value"));
        }
    }

    private static void set(PreparedStatement statement, int index, String kind, JsonNode value)
            throws SQLException, BridgeException {
        switch (kind) {
            case "null" -> statement.setNull(index, Types.NULL);
            case "boolean" -> statement.setLong(index, value.booleanValue() ? 1 : 0);
            case "integer" -> statement.setLong(index, value.longValue());
            case "double" -> statement.setDouble(index, value.doubleValue());
            case "text" -> statement.setString(index, value.textValue());
            case "decimal" -> statement.setBigDecimal(index, new BigDecimal(value.textValue()));
            case "date" -> statement.setObject(index, LocalDate.parse(value.textValue()));
            case "datetime" -> statement.setObject(index, dateTime(statement, value.textValue()));
            default -> throw new IllegalArgumentException("A parameter of kind " + kind);
        }
    }

    /** Connector/J takes MariaDB for a server without fractions of a second and drops them. */
    private static LocalDateTime dateTime(PreparedStatement statement, String text)
            throws SQLException, BridgeException {
        LocalDateTime value = LocalDateTime.parse(text);
        if (value.getNano() != 0 && !statement.getConnection().unwrap(JdbcConnection.class)
                .getSession().getServerSession().getCapabilities().serverSupportsFracSecs()) {
            throw new BridgeException(BridgeException.Code.BAD_REQUEST, "A time with a fraction of a"
                    + " second can't be bound on this server through Spark; use engine direct.");
        }
        return value;
    }
}
