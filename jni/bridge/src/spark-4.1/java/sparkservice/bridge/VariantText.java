package sparkservice.bridge;

import java.time.ZoneOffset;
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
import org.apache.spark.sql.types.VariantType;
import org.apache.spark.types.variant.Variant;
import org.apache.spark.unsafe.types.UTF8String;
import org.apache.spark.unsafe.types.VariantVal;

/**
 * VARIANT values, nested ones too, as JSON text.
 *
 * <p>Arrow has no type of its own for them. A variant column carries the field metadata
 * {@code spark_type=VARIANT_JSON}; so does a variant field of a struct.
 */
final class VariantText {
    private VariantText() {
    }

    static StructType writtenSchema(StructType schema) {
        return hasVariant(schema) ? struct(schema) : schema;
    }

    static UnaryOperator<InternalRow> rowConverter(StructType schema) {
        return hasVariant(schema) ? row -> (InternalRow) convert(row, schema) : null;
    }

    private static boolean hasVariant(DataType type) {
        return type.existsRecursively(part -> part instanceof VariantType);
    }

    private static DataType written(DataType type) {
        if (type instanceof VariantType) {
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
            if (field.dataType() instanceof VariantType) {
                metadata.putString(ResultSchema.SPARK_TYPE, ResultSchema.VARIANT_JSON);
            }
            fields[i] = new StructField(field.name(), written(field.dataType()), field.nullable(),
                    metadata.build());
        }
        return new StructType(fields);
    }

    private static Object convert(Object value, DataType type) {
        if (value == null || !hasVariant(type)) {
            return value;
        } else if (type instanceof VariantType) {
            VariantVal variant = (VariantVal) value;
            return UTF8String.fromString(
                    new Variant(variant.getValue(), variant.getMetadata()).toJson(ZoneOffset.UTC));
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
