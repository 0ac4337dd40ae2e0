package sparkservice.bridge;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.catalyst.expressions.Cast;
import org.apache.spark.sql.catalyst.expressions.EvalMode;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.parser.CatalystSqlParser$;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.apache.spark.sql.catalyst.util.GenericArrayData;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.unsafe.types.UTF8String;
import scala.Option;

/** JSON values bound to {@code :name} by Spark's own parameter nodes, never as text. */
final class Parameters {
    private static final Set<DataType> NUMBERS =
            Set.of(DataTypes.LongType, DataTypes.DoubleType);
    private static final Set<String> TYPED = Set.of("type", "value");

    private Parameters() {
    }

    static LogicalPlan bind(LogicalPlan plan, JsonNode params) throws BridgeException {
        if (params == null || params.isEmpty()) {
            return plan;
        }
        if (!params.isObject()) {
            throw BridgeException.badRequest("params must be an object.");
        }
        Map<String, Expression> values = new LinkedHashMap<>();
        for (Iterator<Map.Entry<String, JsonNode>> all = params.fields(); all.hasNext();) {
            Map.Entry<String, JsonNode> param = all.next();
            values.put(param.getKey(), value(param.getKey(), param.getValue()));
        }
        return SparkLine.parameterized(plan, values);
    }

    private static Expression value(String name, JsonNode json) throws BridgeException {
        if (json.isObject()) {
            return typed(name, json);
        }
        if (json.isArray()) {
            return array(name, json);
        }
        return plain(name, json);
    }

    /** One literal: Spark 3.5 takes nothing else as a parameter. */
    private static Literal array(String name, JsonNode json) throws BridgeException {
        List<Literal> elements = new ArrayList<>();
        DataType type = DataTypes.NullType;
        for (JsonNode element : json) {
            if (element.isContainerNode()) {
                throw bad(name, "an array holds plain values only");
            }
            Literal literal = plain(name, element);
            type = commonType(name, type, literal.dataType());
            elements.add(literal);
        }
        Object[] values = new Object[elements.size()];
        for (int i = 0; i < values.length; i++) {
            Object value = elements.get(i).value();
            values[i] = type == DataTypes.DoubleType && value instanceof Long whole
                    ? (Object) whole.doubleValue() : value;
        }
        return new Literal(new GenericArrayData(values), new ArrayType(type, true));
    }

    private static DataType commonType(String name, DataType one, DataType other)
            throws BridgeException {
        if (one.equals(other) || other.equals(DataTypes.NullType)) {
            return one;
        } else if (one.equals(DataTypes.NullType)) {
            return other;
        } else if (NUMBERS.contains(one) && NUMBERS.contains(other)) {
            return DataTypes.DoubleType;
        }
        throw bad(name, "an array holds values of one type");
    }

    private static Literal plain(String name, JsonNode json) throws BridgeException {
        if (json.isNull()) {
            return new Literal(null, DataTypes.NullType);
        } else if (json.isBoolean()) {
            return new Literal(json.booleanValue(), DataTypes.BooleanType);
        } else if (json.isTextual()) {
            return text(json.textValue());
        } else if (json.isIntegralNumber()) {
            if (!json.canConvertToLong()) {
                throw bad(name, "the integer does not fit BIGINT; use {\"type\",\"value\"}");
            }
            return new Literal(json.longValue(), DataTypes.LongType);
        }
        double value = json.doubleValue();
        if (Double.isInfinite(value)) {
            throw bad(name, "the number does not fit DOUBLE");
        }
        return new Literal(value, DataTypes.DoubleType);
    }

    private static Literal typed(String name, JsonNode json) throws BridgeException {
        for (Iterator<String> fields = json.fieldNames(); fields.hasNext();) {
            if (!TYPED.contains(fields.next())) {
                throw bad(name, "an object has the fields type and value");
            }
        }
        JsonNode value = json.get("value");
        if (!json.path("type").isTextual() || value == null || value.isContainerNode()) {
            throw bad(name, "an object has the fields type (text) and value (not nested)");
        }
        DataType type = type(name, json.get("type").textValue());
        if (value.isNull()) {
            return new Literal(null, type);
        }
        return cast(name, value.asText(), type);
    }

    private static DataType type(String name, String text) throws BridgeException {
        try {
            return CatalystSqlParser$.MODULE$.parseDataType(text);
        } catch (Exception e) {
            throw bad(name, "unknown type " + text);
        }
    }

    private static Literal cast(String name, String value, DataType type) throws BridgeException {
        Literal text = text(value);
        if (!Cast.canAnsiCast(DataTypes.StringType, type)) {
            throw bad(name, "a value of type " + type.sql() + " cannot be given as text");
        }
        try {
            Object converted = new Cast(text, type, Option.apply(ResultSchema.ZONE),
                    EvalMode.ANSI()).eval(null);
            return new Literal(converted, type);
        } catch (RuntimeException e) {
            throw bad(name, "the value is not a " + type.sql());
        }
    }

    private static Literal text(String value) {
        return new Literal(UTF8String.fromString(value), DataTypes.StringType);
    }

    private static BridgeException bad(String name, String reason) {
        return BridgeException.badRequest("Parameter " + name + ": " + reason + ".");
    }
}
