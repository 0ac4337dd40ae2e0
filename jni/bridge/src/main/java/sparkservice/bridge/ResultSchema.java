package sparkservice.bridge;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.ArrowUtils;

/**
 * The Arrow schema of a result: Spark's own mapping, and the field metadata that tells C how a
 * column is written (service/result_json.h).
 */
final class ResultSchema {
    static final String ZONE = "UTC";
    static final String MYSQL_TYPE = "mysql_type";
    static final String SPARK_TYPE = "spark_type";
    static final String VARIANT_JSON = "VARIANT_JSON";
    /** The SQL name of the type: MySQL's own, else Spark's. */
    static final String SQL_TYPE = "sql_type";
    private static final List<String> KEYS = List.of(MYSQL_TYPE, SPARK_TYPE, SQL_TYPE);

    private ResultSchema() {
    }

    /** Equal names at the top level stay as they are: C renames them. */
    static Schema arrow(StructType schema) {
        StructType written = TextValues.writtenSchema(schema);
        Schema plain = ArrowUtils.toArrowSchema(written, ZONE, false, false);
        List<Field> fields = new ArrayList<>();
        for (int i = 0; i < written.fields().length; i++) {
            fields.add(withMetadata(plain.getFields().get(i), written.fields()[i],
                    schema.fields()[i].dataType().sql()));
        }
        return new Schema(fields);
    }

    private static Field withMetadata(Field field, StructField column, String sqlType) {
        Map<String, String> metadata = new HashMap<>(field.getMetadata());
        Metadata source = column.metadata();
        for (String key : KEYS) {
            if (source.contains(key)) {
                metadata.put(key, source.getString(key));
            }
        }
        metadata.putIfAbsent(SQL_TYPE, sqlType);
        return metadata.equals(field.getMetadata()) ? field
                : new Field(field.getName(), new FieldType(field.isNullable(), field.getType(),
                        field.getDictionary(), metadata), field.getChildren());
    }
}
