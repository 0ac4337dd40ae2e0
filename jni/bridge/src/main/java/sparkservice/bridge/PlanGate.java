package sparkservice.bridge;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.spark.sql.catalyst.analysis.UnresolvedFunction;
import org.apache.spark.sql.catalyst.analysis.UnresolvedGenerator;
import org.apache.spark.sql.catalyst.analysis.UnresolvedRelation;
import org.apache.spark.sql.catalyst.analysis.UnresolvedTableValuedFunction;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;

/**
 * The first gate: the parsed plan, before anything of it is analysed.
 *
 * <p>An allow-list of node classes; what isn't on it is refused by name. Commands, writes, scripts,
 * EXECUTE IMMEDIATE (which would run during analysis), variables, TRANSFORM, hints and whatever a
 * later Spark adds are refused because they aren't listed.
 */
final class PlanGate {
    private static final String LOGICAL = "org.apache.spark.sql.catalyst.plans.logical.";
    private static final String ANALYSIS = "org.apache.spark.sql.catalyst.analysis.";
    private static final String EXPRESSIONS = "org.apache.spark.sql.catalyst.expressions.";

    private static final Set<String> PLAN_NODES = names(
            LOGICAL + "Aggregate Distinct Except Filter Generate GlobalLimit Intersect Join"
                    + " LateralJoin LimitAll LocalLimit LocalRelation Offset OneRowRelation Pivot"
                    + " PipeOperator Project Sample Sort SubqueryAlias Union Unpivot UnresolvedWith"
                    + " WithWindowDefinition RepartitionByExpression",
            ANALYSIS + "UnresolvedHaving UnresolvedInlineTable ResolvedInlineTable"
                    + " UnresolvedRelation UnresolvedSubqueryColumnAliases UnresolvedTVFAliases"
                    + " UnresolvedTableValuedFunction");

    /** Of the package of analysis only these; all of catalyst.expressions but the refused. */
    private static final Set<String> ANALYSIS_EXPRESSIONS = names(
            ANALYSIS + "MultiAlias NamedParameter UnresolvedAlias UnresolvedAttribute"
                    + " UnresolvedCollation UnresolvedExtractValue UnresolvedFunction"
                    + " UnresolvedGenerator UnresolvedOrdinal UnresolvedPipeAggregateOrdinal"
                    + " UnresolvedRegex UnresolvedStar UnresolvedStarExceptOrReplace");

    private static final Set<String> REFUSED_EXPRESSIONS = names(
            EXPRESSIONS + "CallMethodViaReflection TryReflect FunctionTableSubqueryArgumentExpression"
                    + " ScalaUDF PythonUDF PythonUDAF PythonUDTF VariableReference");

    /** Generators of rows from their arguments alone. */
    private static final Set<String> TABLE_FUNCTIONS = Set.of("range", "explode", "explode_outer",
            "posexplode", "posexplode_outer", "inline", "inline_outer", "json_tuple", "stack",
            "variant_explode", "variant_explode_outer");

    /**
     * Functions that run code by name, open a file or a schema named in an argument, or tell about
     * the process. {@link #REFUSED_FUNCTIONS} are dropped from the session's registry as well.
     */
    static final List<String> REFUSED_FUNCTIONS = List.of(
            "reflect", "java_method", "try_reflect",
            "from_avro", "to_avro", "schema_of_avro", "from_protobuf", "to_protobuf",
            "from_xml", "schema_of_xml",
            "input_file_name", "input_file_block_start", "input_file_block_length",
            "current_user", "user", "session_user", "current_database", "current_schema",
            "current_catalog");

    private static final Set<String> REFUSED_FUNCTION_NAMES = Set.copyOf(REFUSED_FUNCTIONS);

    private PlanGate() {
    }

    static void check(LogicalPlan parsed) throws BridgeException {
        PlanTree.walk(parsed, new PlanTree.Visitor() {
            @Override
            public void plan(LogicalPlan node) throws BridgeException {
                checkPlan(node);
            }

            @Override
            public void expression(Expression node) throws BridgeException {
                checkExpression(node);
            }
        });
    }

    private static void checkPlan(LogicalPlan node) throws BridgeException {
        if (!PLAN_NODES.contains(className(node))) {
            throw refused("statement or clause", node.getClass().getSimpleName());
        }
        if (node instanceof UnresolvedTableValuedFunction function) {
            String name = String.join(".", Scala.<String>list(function.name()));
            if (!TABLE_FUNCTIONS.contains(name.toLowerCase(Locale.ROOT))) {
                throw refused("table function", name);
            }
        } else if (node instanceof UnresolvedRelation relation && !relation.options().isEmpty()) {
            throw refused("clause", "WITH (options)");
        } else if (node.isStreaming()) {
            throw refused("clause", "STREAM");
        }
    }

    private static void checkExpression(Expression node) throws BridgeException {
        String name = className(node);
        boolean known = name.startsWith(EXPRESSIONS) ? !REFUSED_EXPRESSIONS.contains(name)
                : ANALYSIS_EXPRESSIONS.contains(name);
        if (!known) {
            throw refused("expression", node.getClass().getSimpleName());
        }
        if (node instanceof UnresolvedFunction function) {
            checkFunction(Scala.<String>list(function.nameParts()));
        } else if (node instanceof UnresolvedGenerator generator) {
            checkFunction(List.of(generator.name().unquotedString()));
        }
    }

    private static void checkFunction(List<String> nameParts) throws BridgeException {
        String name = String.join(".", nameParts).toLowerCase(Locale.ROOT);
        if (nameParts.size() > 1 || REFUSED_FUNCTION_NAMES.contains(name)) {
            throw refused("function", name);
        }
    }

    /** Scala's objects are classes of the name with a dollar sign. */
    private static String className(Object node) {
        String name = node.getClass().getName();
        return name.endsWith("$") ? name.substring(0, name.length() - 1) : name;
    }

    private static BridgeException refused(String kind, String name) {
        String shown = name.endsWith("$") ? name.substring(0, name.length() - 1) : name;
        return BridgeException.forbidden("This " + kind + " is not allowed: " + shown);
    }

    private static Set<String> names(String... packages) {
        return Arrays.stream(packages).flatMap(line -> {
            int dot = line.lastIndexOf('.') + 1;
            return Arrays.stream(line.substring(dot).split(" "))
                    .map(name -> line.substring(0, dot) + name);
        }).collect(Collectors.toUnmodifiableSet());
    }
}
