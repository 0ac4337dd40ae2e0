package sparkservice.bridge.mysql;

import java.io.Serializable;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.Locale;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Decimal;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.MetadataBuilder;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * One column of a MySQL result: its Spark type, the MySQL type that C has to know
 * (service/result_json.h), MySQL's own name of the type, and how its value is read.
 *
 * <p>Not by Spark's JDBC getters: they pass dates through java.sql types and the JVM's calendar, and
 * have no form for TIME beyond a day or DECIMAL beyond 38 digits.
 */
record Column(String label, DataType type, String mysqlType, String sqlType, Reader reader)
        implements Serializable {
    private static final int MAX_DECIMAL_DIGITS = 38;
    private static final int BINARY_TIME_BYTES = 12;
    private static final int HOURS_PER_DAY = 24;
    private static final int BIGINT_UNSIGNED_DIGITS = 20;

    /** The value in Spark's internal form; null for NULL. */
    interface Reader extends Serializable {
        Object read(ResultSet row, int index) throws SQLException;
    }

    /** The field with a name that is unique in the result, as Spark's scans need it. */
    StructField field(int index) {
        return new StructField("c" + index, type, true, metadata());
    }

    /** The field with the name that the caller sees. */
    StructField labelled() {
        return new StructField(label, type, true, metadata());
    }

    private Metadata metadata() {
        MetadataBuilder metadata = new MetadataBuilder();
        if (mysqlType != null) {
            metadata.putString("mysql_type", mysqlType);
        }
        metadata.putString("sql_type", sqlType);
        return metadata.build();
    }

    static Column of(ResultSetMetaData all, int index) throws SQLException {
        Column column = byType(all, index);
        return new Column(column.label, column.type, column.mysqlType, typeName(all, index),
                column.reader);
    }

    /** MySQL's own name of the type; service/mysql_type_name.c gives the same. */
    private static String typeName(ResultSetMetaData all, int index) throws SQLException {
        String name = all.getColumnTypeName(index).toUpperCase(Locale.ROOT);
        int digits = all.getPrecision(index);
        int scale = all.getScale(index);
        return switch (name) {
            case "DECIMAL", "DECIMAL UNSIGNED" ->
                "DECIMAL(" + Math.max(digits, scale) + "," + scale + ")";
            case "BIT" -> "BIT(" + digits + ")";
            case "FLOAT UNSIGNED" -> "FLOAT";
            case "DOUBLE UNSIGNED" -> "DOUBLE";
            case "TINYTEXT", "MEDIUMTEXT", "LONGTEXT" -> "TEXT";
            case "TINYBLOB", "MEDIUMBLOB", "LONGBLOB" -> "BLOB";
            default -> name;
        };
    }

    private static Column byType(ResultSetMetaData all, int index) throws SQLException {
        String label = all.getColumnLabel(index);
        String name = all.getColumnTypeName(index).toUpperCase(Locale.ROOT);
        int digits = all.getPrecision(index);
        return switch (name) {
            case "TINYINT", "TINYINT UNSIGNED", "SMALLINT", "SMALLINT UNSIGNED", "MEDIUMINT",
                    "MEDIUMINT UNSIGNED", "INT", "YEAR" ->
                plain(label, DataTypes.IntegerType, (row, i) -> nullable(row, row.getInt(i)));
            case "INT UNSIGNED", "BIGINT" ->
                plain(label, DataTypes.LongType, (row, i) -> nullable(row, row.getLong(i)));
            case "BIGINT UNSIGNED" -> new Column(label,
                    DataTypes.createDecimalType(BIGINT_UNSIGNED_DIGITS, 0), name, null,
                    (row, i) -> decimal(row.getBigDecimal(i), BIGINT_UNSIGNED_DIGITS, 0));
            case "DECIMAL", "DECIMAL UNSIGNED" -> decimalColumn(label, digits, all.getScale(index));
            case "FLOAT", "FLOAT UNSIGNED" ->
                plain(label, DataTypes.FloatType, (row, i) -> nullable(row, row.getFloat(i)));
            case "DOUBLE", "DOUBLE UNSIGNED" ->
                plain(label, DataTypes.DoubleType, (row, i) -> nullable(row, row.getDouble(i)));
            case "BIT" -> digits == 1
                ? plain(label, DataTypes.BooleanType, (row, i) -> nullable(row, row.getBoolean(i)))
                : plain(label, DataTypes.BinaryType, ResultSet::getBytes);
            case "DATE" -> plain(label, DataTypes.DateType, Column::date);
            case "DATETIME" -> plain(label, DataTypes.TimestampNTZType, Column::micros);
            case "TIMESTAMP" -> plain(label, DataTypes.TimestampType, Column::micros);
            case "TIME" -> new Column(label, DataTypes.StringType, name, null, Column::time);
            case "JSON" -> new Column(label, DataTypes.StringType, name, null, Column::text);
            case "GEOMETRY" -> new Column(label, DataTypes.BinaryType, name, null, ResultSet::getBytes);
            case "BINARY", "VARBINARY", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB" ->
                plain(label, DataTypes.BinaryType, ResultSet::getBytes);
            case "NULL" -> plain(label, DataTypes.NullType, (row, i) -> null);
            default -> plain(label, DataTypes.StringType, Column::text);
        };
    }

    private static Column plain(String label, DataType type, Reader reader) {
        return new Column(label, type, null, null, reader);
    }

    private static Column decimalColumn(String label, int digits, int scale) {
        if (digits > MAX_DECIMAL_DIGITS) {
            return new Column(label, DataTypes.StringType, "DECIMAL", null,
                    Column::plainDecimal);
        }
        DecimalType type = DataTypes.createDecimalType(Math.max(digits, scale), scale);
        return plain(label, type,
                (row, i) -> decimal(row.getBigDecimal(i), type.precision(), type.scale()));
    }

    private static Object nullable(ResultSet row, Object value) throws SQLException {
        return row.wasNull() ? null : value;
    }

    private static Object decimal(BigDecimal value, int digits, int scale) {
        return value == null ? null : Decimal.apply(value, digits, scale);
    }

    /** All digits, no exponent, as MySQL itself writes it. */
    private static Object plainDecimal(ResultSet row, int index) throws SQLException {
        BigDecimal value = row.getBigDecimal(index);
        return value == null ? null : UTF8String.fromString(value.toPlainString());
    }

    private static Object text(ResultSet row, int index) throws SQLException {
        return UTF8String.fromString(row.getString(index));
    }

    /**
     * From the bytes of the wire: Connector/J loses the sign of a negative TIME below a day and
     * adds the hours to the days with the wrong sign above.
     */
    private static Object time(ResultSet row, int index) throws SQLException {
        byte[] wire = row.getBytes(index);
        if (wire == null) {
            return null;
        }
        return UTF8String.fromString(wire.length > 0 && wire[0] > 1
                ? new String(wire, StandardCharsets.US_ASCII) : binaryTime(wire));
    }

    /** Binary protocol: sign, days (4 bytes), hours, minutes, seconds, microseconds (4 bytes). */
    private static String binaryTime(byte[] wire) {
        ByteBuffer value = ByteBuffer.wrap(Arrays.copyOf(wire, BINARY_TIME_BYTES))
                .order(ByteOrder.LITTLE_ENDIAN);
        String sign = value.get() == 1 ? "-" : "";
        int days = value.getInt();
        int hours = value.get() + days * HOURS_PER_DAY;
        return String.format(Locale.ROOT, "%s%02d:%02d:%02d.%06d", sign, hours, value.get(),
                value.get(), value.getInt());
    }

    private static Object date(ResultSet row, int index) throws SQLException {
        LocalDate value = orNull(row, index, LocalDate.class);
        return value == null ? null : (int) value.toEpochDay();
    }

    /** The session's zone is UTC, so that TIMESTAMP and DATETIME are read alike. */
    private static Object micros(ResultSet row, int index) throws SQLException {
        LocalDateTime value = orNull(row, index, LocalDateTime.class);
        return value == null ? null : Math.addExact(
                Math.multiplyExact(value.toEpochSecond(ZoneOffset.UTC), 1_000_000L),
                value.getNano() / 1_000L);
    }

    /** A date with a zero month or day is no date: null, as the whole zero date is. */
    private static <T> T orNull(ResultSet row, int index, Class<T> type) throws SQLException {
        try {
            return row.getObject(index, type);
        } catch (DateTimeException e) {
            return null;
        } catch (SQLException e) {
            for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
                if (cause instanceof DateTimeException) {
                    return null;
                }
            }
            throw e;
        }
    }
}
