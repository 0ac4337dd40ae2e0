package sparkservice.bridge;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a caller's statement may be made of, by name: nodes, expressions and functions of this Spark
 * line. What isn't listed is refused, so that whatever a later Spark adds is refused until somebody
 * has looked at it.
 */
final class Fence {
    private static final String TABLE = "table:";

    static final List<FenceList.Entry> PLANS = FenceList.read("plans.txt");
    static final List<FenceList.Entry> EXPRESSIONS = FenceList.read("expressions.txt");
    static final List<FenceList.Entry> FUNCTIONS = FenceList.read("functions.txt");

    private static final Set<String> PARSED_PLANS =
            FenceList.names(PLANS, entry -> !entry.has("analysed"));
    private static final Set<String> ANALYSED_PLANS =
            FenceList.names(PLANS, entry -> !entry.has("parsed"));
    private static final Set<String> PARSED_EXPRESSIONS =
            FenceList.names(EXPRESSIONS, entry -> true);
    private static final Set<String> ANALYSED_EXPRESSIONS =
            FenceList.names(EXPRESSIONS, entry -> !entry.has("parsed"));
    private static final Set<String> GUARDED_EXPRESSIONS =
            FenceList.names(EXPRESSIONS, entry -> entry.has("guarded"));
    private static final Set<String> ALLOWED_FUNCTIONS =
            FenceList.names(FUNCTIONS, entry -> entry.has("+"));
    /** By name on both lines, although one of them has no such function. */
    private static final Set<String> REFUSED_FUNCTIONS =
            FUNCTIONS.stream().filter(entry -> entry.has("-")).map(FenceList.Entry::name)
                    .collect(Collectors.toUnmodifiableSet());

    private Fence() {
    }

    static boolean allowsParsedPlan(Object node) {
        return PARSED_PLANS.contains(className(node));
    }

    static boolean allowsAnalysedPlan(Object node) {
        return ANALYSED_PLANS.contains(className(node));
    }

    static boolean allowsParsedExpression(Object node) {
        return PARSED_EXPRESSIONS.contains(className(node));
    }

    static boolean allowsAnalysedExpression(Object node) {
        return ANALYSED_EXPRESSIONS.contains(className(node));
    }

    /** Whether after analysis it may only stand inside its wrapper. */
    static boolean isGuarded(Object node) {
        return GUARDED_EXPRESSIONS.contains(className(node));
    }

    /** @param name in lower case */
    static boolean allowsFunction(String name) {
        return ALLOWED_FUNCTIONS.contains(name);
    }

    /** Refused by name; one that is neither this nor allowed doesn't exist, for a caller. */
    static boolean refusesFunction(String name) {
        return REFUSED_FUNCTIONS.contains(name);
    }

    static boolean allowsTableFunction(String name) {
        return ALLOWED_FUNCTIONS.contains(TABLE + name);
    }

    /** Scala's objects are classes of the name with a dollar sign. */
    static String className(Object node) {
        String name = node.getClass().getName();
        return name.endsWith("$") ? name.substring(0, name.length() - 1) : name;
    }

    static BridgeException refused(String kind, String name) {
        return BridgeException.forbidden("This " + kind + " is not allowed: " + name);
    }

    /** A class by its short name. */
    static BridgeException refused(String kind, Object node) {
        String name = className(node);
        return refused(kind, name.substring(name.lastIndexOf('.') + 1));
    }
}
