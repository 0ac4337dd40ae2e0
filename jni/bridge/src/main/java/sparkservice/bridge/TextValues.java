package sparkservice.bridge;

import java.util.ArrayList;
import java.util.List;
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
        UnaryOperator<Object> converter = converter(schema);
        return converter == null ? null : row -> (InternalRow) converter.apply(row);
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

    /** Of values that aren't null; itself null where nothing is to be done. */
    private static UnaryOperator<Object> converter(DataType type) {
        Form form = SparkLine.textForm(type);
        if (form != null) {
            return value -> UTF8String.fromString(form.text().apply(value));
        } else if (!holdsText(type)) {
            return null;
        } else if (type instanceof StructType struct) {
            return structConverter(struct);
        } else if (type instanceof ArrayType array) {
            return arrayConverter(array.elementType());
        }
        UnaryOperator<Object> values = arrayConverter(((MapType) type).valueType());
        return value -> {
            MapData map = (MapData) value;
            return new ArrayBasedMapData(map.keyArray(), (ArrayData) values.apply(map.valueArray()));
        };
    }

    private static UnaryOperator<Object> structConverter(StructType struct) {
        DataType[] types = new DataType[struct.length()];
        List<UnaryOperator<Object>> converters = new ArrayList<>();
        for (int i = 0; i < types.length; i++) {
            types[i] = struct.fields()[i].dataType();
            converters.add(converter(types[i]));
        }
        return value -> {
            InternalRow row = (InternalRow) value;
            Object[] values = new Object[types.length];
            for (int i = 0; i < types.length; i++) {
                if (!row.isNullAt(i)) {
                    values[i] = converted(row.get(i, types[i]), converters.get(i));
                }
            }
            return new GenericInternalRow(values);
        };
    }

    private static UnaryOperator<Object> arrayConverter(DataType elementType) {
        UnaryOperator<Object> converter = converter(elementType);
        return value -> {
            ArrayData array = (ArrayData) value;
            Object[] values = new Object[array.numElements()];
            for (int i = 0; i < values.length; i++) {
                if (!array.isNullAt(i)) {
                    values[i] = converted(array.get(i, elementType), converter);
                }
            }
            return new GenericArrayData(values);
        };
    }

    private static Object converted(Object value, UnaryOperator<Object> converter) {
        return converter == null ? value : converter.apply(value);
    }
}
