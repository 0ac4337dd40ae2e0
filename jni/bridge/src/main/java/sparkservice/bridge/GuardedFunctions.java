package sparkservice.bridge;

import java.util.Set;
import java.util.function.UnaryOperator;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.analysis.FunctionRegistry;
import org.apache.spark.sql.catalyst.analysis.TableFunctionRegistry;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.ExpressionInfo;
import scala.Function1;

/**
 * The session's functions: those that the fence's list allows and no others, whoever registered
 * them; functions of patterns and of large values in their guarded forms.
 */
final class GuardedFunctions {
    static final Set<String> PATTERNS = Set.of("like", "ilike", "rlike", "regexp", "regexp_like",
            "regexp_replace", "regexp_extract", "regexp_extract_all", "regexp_instr", "regexp_count",
            "regexp_substr", "split");
    static final Set<String> LARGE = Set.of("repeat", "lpad", "rpad", "space", "array_repeat",
            "sequence");

    private GuardedFunctions() {
    }

    static void install(SparkSession session, SqlLimits limits) {
        FunctionRegistry functions = SparkLine.state(session).functionRegistry();
        for (FunctionIdentifier id : Scala.<FunctionIdentifier>list(functions.listFunction())) {
            if (!Fence.allowsFunction(id.funcName())) {
                functions.dropFunction(id);
            }
        }
        TableFunctionRegistry tables = SparkLine.state(session).tableFunctionRegistry();
        for (FunctionIdentifier id : Scala.<FunctionIdentifier>list(tables.listFunction())) {
            if (!Fence.allowsTableFunction(id.funcName())) {
                tables.dropFunction(id);
            }
        }
        PATTERNS.forEach(name -> wrap(functions, name, GuardedPattern::new));
        LARGE.forEach(name -> wrap(functions, name,
                made -> new BoundedValue(made, limits.maxValueBytes())));
    }

    /** Seq is another class on each Spark line, so the builder's type is left open. */
    @SuppressWarnings({"unchecked", "rawtypes"})
    private static void wrap(FunctionRegistry functions, String name,
            UnaryOperator<Expression> wrapper) {
        FunctionIdentifier id = new FunctionIdentifier(name);
        ExpressionInfo info = functions.lookupFunction(id).get();
        Function1 original = functions.lookupFunctionBuilder(id).get();
        Function1 wrapped = arguments -> wrapper.apply((Expression) original.apply(arguments));
        functions.dropFunction(id);
        functions.registerFunction(id, info, wrapped);
    }
}
