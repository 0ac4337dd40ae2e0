package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.analysis.FunctionRegistry$;
import org.apache.spark.sql.catalyst.analysis.TableFunctionRegistry$;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The fence's lists say something about everything that this Spark line has, and nothing else. */
class FenceTest {
    private static final Pattern EXAMPLE = Pattern.compile("> ((?:SELECT|WITH|FROM)[^;]*);");
    /** Parts of examples that use what is refused. */
    private static final List<String> NOT_ALLOWED = List.of("SET spark.", "reflect(");

    @Test
    void everyFunctionOfThisLineIsDecided() {
        List<String> forgotten = new ArrayList<>();
        for (FunctionIdentifier id : Scala.<FunctionIdentifier>list(
                FunctionRegistry$.MODULE$.builtin().listFunction())) {
            if (Fence.allowsFunction(id.funcName()) == Fence.refusesFunction(id.funcName())) {
                forgotten.add(id.funcName());
            }
        }
        for (FunctionIdentifier id : Scala.<FunctionIdentifier>list(
                TableFunctionRegistry$.MODULE$.builtin().listFunction())) {
            String name = "table:" + id.funcName();
            if (Fence.FUNCTIONS.stream().noneMatch(entry -> entry.name().equals(name))) {
                forgotten.add(name);
            }
        }
        assertEquals(List.of(), forgotten);
    }

    @Test
    void everyFunctionOfTheListIsAFunctionOfThisLineOrOfTheOther() {
        Set<String> known = new HashSet<>();
        for (FunctionIdentifier id : Scala.<FunctionIdentifier>list(
                FunctionRegistry$.MODULE$.builtin().listFunction())) {
            known.add(id.funcName());
        }
        for (FunctionIdentifier id : Scala.<FunctionIdentifier>list(
                TableFunctionRegistry$.MODULE$.builtin().listFunction())) {
            known.add("table:" + id.funcName());
        }
        for (FenceList.Entry entry : Fence.FUNCTIONS) {
            assertEquals(entry.isOfThisLine(), known.contains(entry.name()), entry.toString());
        }
    }

    @Test
    void everyClassOfTheListsIsAClassOfThisLineOrOfTheOther() throws Exception {
        check(Fence.PLANS, LogicalPlan.class);
        check(Fence.EXPRESSIONS, Expression.class);
    }

    private static void check(List<FenceList.Entry> entries, Class<?> kind) {
        Set<String> seen = new HashSet<>();
        for (FenceList.Entry entry : entries) {
            assertTrue(seen.add(entry.name()), "twice: " + entry);
            assertEquals(entry.isOfThisLine(), exists(entry.name(), kind), entry.toString());
        }
    }

    /** A Scala object's class has a dollar sign, and so has a companion, which is no node. */
    private static boolean exists(String name, Class<?> kind) {
        for (String candidate : List.of(name, name + "$")) {
            try {
                if (kind.isAssignableFrom(Class.forName(candidate, false,
                        FenceTest.class.getClassLoader()))) {
                    return true;
                }
            } catch (ClassNotFoundException e) {
                continue;
            }
        }
        return false;
    }

    /** Spark's own documentation: the first example of each function, or with LONG=1 all of them. */
    @TestFactory
    List<DynamicTest> noExampleOfAnAllowedFunctionIsRefused() throws Exception {
        TestEngine.start();
        List<DynamicTest> tests = new ArrayList<>();
        for (FunctionIdentifier id : Scala.<FunctionIdentifier>list(
                FunctionRegistry$.MODULE$.builtin().listFunction())) {
            if (Fence.allowsFunction(id.funcName())) {
                String text = FunctionRegistry$.MODULE$.builtin().lookupFunction(id).get()
                        .getExamples();
                tests.add(DynamicTest.dynamicTest(id.funcName(), () -> examples(text)));
            }
        }
        return tests;
    }

    private static void examples(String text) throws Exception {
        Matcher example = EXAMPLE.matcher(text);
        boolean all = "1".equals(System.getenv("LONG"));
        for (int i = 0; (all || i == 0) && example.find(); i++) {
            String sql = example.group(1).replaceAll("\\s*\\n\\s*", " ");
            boolean refused = NOT_ALLOWED.stream().anyMatch(sql::contains);
            try {
                TestEngine.explain(TestEngine.query("parquet", sql));
                assertFalse(refused, sql);
            } catch (TestEngine.Failed e) {
                assertEquals(refused, e.code().equals("forbidden"), sql + " -> " + e.error);
                assertNotEquals("engine_error", e.code(), sql + " -> " + e.error);
            }
        }
    }

    @Test
    void whateverIsAnalysedForACallerPassesTheRule() throws Exception {
        TestEngine.start();
        OutsideWriter.write("INSERT OVERWRITE DIRECTORY '${root}/fence' USING parquet SELECT 1 AS a");
        String path = TestEngine.ROOT.resolve("fence").toString();
        SparkSession session = SparkSession.active();
        AnalysedGate gate = new AnalysedGate(List.of(), DataRoots.parse(TestEngine.ROOT.toString()));
        BridgeException refusal = assertThrows(BridgeException.class,
                () -> FenceExtension.forCaller(gate, () -> session.read().parquet(path)));
        assertEquals(BridgeException.Code.FORBIDDEN, refusal.code());
        assertEquals(1, session.read().parquet(path).count());
        assertFalse(session.conf().isModifiable("spark.sql.extensions"));
    }

    @Test
    void theSessionHasNoOtherFunctions() throws Exception {
        TestEngine.start();
        for (String sql : List.of("SELECT reflect('java.lang.System', 'exit', '1')",
                "SELECT * FROM table_changes('t', 1)")) {
            assertEquals("forbidden", TestEngine.failure(TestEngine.query("delta", sql)).code());
        }
        assertEquals("42883", TestEngine.failure(
                TestEngine.query("parquet", "SELECT no_such_function(1)")).sqlState());
    }
}
