package sparkservice.bridge;

import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.catalyst.util.ArrayBasedMapData;
import org.apache.spark.sql.catalyst.util.ArrayData;
import org.apache.spark.sql.catalyst.util.GenericArrayData;
import org.apache.spark.sql.catalyst.util.MapData;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.MetadataBuilder;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.unsafe.types.UTF8String;

/** Values that a line's Arrow has no type for, nested ones too, as text. */
final class TextValues {
    /**
     * How the values of a type become text. A column of them, and such a field of a struct, carries
     * the field metadata {@code spark_type=mark}; null for plain text.
     */
    record Form(String mark, Function<Object, String> text) {
    }

    private TextValues() {
    }

    /** The columns as they are written. */
    static StructType writtenSchema(StructType schema) {
        return holdsText(schema) ? struct(schema) : schema;
    }

    /** Turns a row of the schema into one of the written schema; null when they are alike. */
    static UnaryOperator<InternalRow> rowConverter(StructType schema) {
        return holdsText(schema) ? row -> (InternalRow) convert(row, schema) : null;
    }

    private static boolean holdsText(DataType type) {
        return type.existsRecursively(part -> SparkLine.textForm(part) != null);
    }

    private static DataType written(DataType type) {
        if (SparkLine.textForm(type) != null) {
            return DataTypes.StringType;
        } else if (type instanceof StructType struct) {
            return struct(struct);
        } else if (type instanceof ArrayType array) {
            return new ArrayType(written(array.elementType()), array.containsNull());
        } else if (type instanceof MapType map) {
            return new MapType(map.keyType(), written(map.valueType()), map.valueContainsNull());
        }
        return type;
    }

    private static StructType struct(StructType struct) {
        StructField[] fields = struct.fields().clone();
        for (int i = 0; i < fields.length; i++) {
            StructField field = fields[i];
            MetadataBuilder metadata = new MetadataBuilder().withMetadata(field.metadata());
            Form form = SparkLine.textForm(field.dataType());
            if (form != null && form.mark() != null) {
                metadata.putString(ResultSchema.SPARK_TYPE, form.mark());
            }
            fields[i] = new StructField(field.name(), written(field.dataType()), field.nullable(),
                    metadata.build());
        }
        return new StructType(fields);
    }

    private static Object convert(Object value, DataType type) {
        if (value == null || !holdsText(type)) {
            return value;
        }
        Form form = SparkLine.textForm(type);
        if (form != null) {
            return UTF8String.fromString(form.text().apply(value));
        } else if (type instanceof StructType struct) {
            return row((InternalRow) value, struct);
        } else if (type instanceof ArrayType array) {
            return array((ArrayData) value, array.elementType());
        }
        MapType mapType = (MapType) type;
        MapData map = (MapData) value;
        return new ArrayBasedMapData(map.keyArray(), array(map.valueArray(), mapType.valueType()));
    }

    private static InternalRow row(InternalRow row, StructType struct) {
        StructField[] fields = struct.fields();
        Object[] values = new Object[fields.length];
        for (int i = 0; i < fields.length; i++) {
            if (!row.isNullAt(i)) {
                values[i] = convert(row.get(i, fields[i].dataType()), fields[i].dataType());
            }
        }
        return new GenericInternalRow(values);
    }

    private static ArrayData array(ArrayData array, DataType elementType) {
        Object[] values = new Object[array.numElements()];
        for (int i = 0; i < values.length; i++) {
            if (!array.isNullAt(i)) {
                values[i] = convert(array.get(i, elementType), elementType);
            }
        }
        return new GenericArrayData(values);
    }
}
