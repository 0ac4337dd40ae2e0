package sparkservice.bridge;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.apache.spark.sql.catalyst.analysis.UnresolvedFunction;
import org.apache.spark.sql.catalyst.analysis.UnresolvedGenerator;
import org.apache.spark.sql.catalyst.analysis.UnresolvedRelation;
import org.apache.spark.sql.catalyst.analysis.UnresolvedTableValuedFunction;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;

/**
 * The first gate: the parsed plan, before anything of it is analysed.
 *
 * <p>What isn't on the fence's lists is refused by name. Commands, writes, scripts, EXECUTE IMMEDIATE
 * (which would run during analysis), variables, TRANSFORM and hints are refused because they aren't
 * listed.
 */
final class PlanGate {
    /** For what becomes a part of a pattern: words without any sign of one. */
    private static final Pattern PLAIN_WORD = Pattern.compile("[^\\\\^$.|?*+()\\[\\]{}]*");
    /** No width, precision or index of five digits. */
    private static final Pattern SHORT_FORMAT = Pattern.compile("(?s)(?!.*%[^a-zA-Z%]*[0-9]{5}).*");
    /** Digits after the point, or a pattern of a number, which is as long as it is. */
    private static final Pattern FEW_DIGITS = Pattern.compile("-?[0-9]{1,4}|[^0-9]*[#0][#0,.]*");

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
        if (!Fence.allowsParsedPlan(node)) {
            throw Fence.refused("statement or clause", node);
        }
        if (node instanceof UnresolvedTableValuedFunction function) {
            String name = String.join(".", Scala.<String>list(function.name()));
            if (!Fence.allowsTableFunction(name.toLowerCase(Locale.ROOT))) {
                throw Fence.refused("table function", name);
            }
        } else if (node instanceof UnresolvedRelation relation && !relation.options().isEmpty()) {
            throw Fence.refused("clause", "WITH (options)");
        } else if (node.isStreaming()) {
            throw Fence.refused("clause", "STREAM");
        }
    }

    private static void checkExpression(Expression node) throws BridgeException {
        if (!Fence.allowsParsedExpression(node)) {
            throw Fence.refused("expression", node);
        }
        if (node instanceof UnresolvedFunction function) {
            String name = checkFunction(Scala.<String>list(function.nameParts()));
            checkArguments(name, Scala.<Expression>list(function.arguments()));
        } else if (node instanceof UnresolvedGenerator generator) {
            checkFunction(List.of(generator.name().unquotedString()));
        }
    }

    private static String checkFunction(List<String> nameParts) throws BridgeException {
        String name = String.join(".", nameParts).toLowerCase(Locale.ROOT);
        if (nameParts.size() > 1 || Fence.refusesFunction(name)) {
            throw Fence.refused("function", name);
        }
        return name;
    }

    /** Functions that do with an argument what neither a cancel nor a limit reaches. */
    private static void checkArguments(String name, List<Expression> arguments)
            throws BridgeException {
        switch (name) {
            case "str_to_map" -> checkPlain(name, PLAIN_WORD, arguments, 1, 3);
            case "parse_url", "try_parse_url" -> checkPlain(name, PLAIN_WORD, arguments, 2, 3);
            case "format_string", "printf" -> checkPlain(name, SHORT_FORMAT, arguments, 0, 1);
            case "format_number" -> checkPlain(name, FEW_DIGITS, arguments, 1, 2);
            default -> {
            }
        }
    }

    private static void checkPlain(String function, Pattern allowed, List<Expression> arguments,
            int from, int to) throws BridgeException {
        for (int i = from; i < Math.min(to, arguments.size()); i++) {
            if (!(arguments.get(i) instanceof Literal literal)
                    || !allowed.matcher(String.valueOf(literal.value())).matches()) {
                throw Fence.refused("argument", function + " takes plain text here: no expression,"
                        + " no pattern and no width above 9999");
            }
        }
    }
}
