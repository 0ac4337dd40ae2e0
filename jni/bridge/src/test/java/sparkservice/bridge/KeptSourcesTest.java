package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.spark.sql.catalyst.plans.logical.OneRowRelation;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tables are kept while they are the same, so many of them and no more. */
class KeptSourcesTest {
    private static final int TABLES = 2;

    @TempDir
    Path folder;
    private Path root;
    private int loads;

    @BeforeEach
    void makeTables() throws Exception {
        root = folder.toRealPath();
        for (String name : List.of("a", "b", "c")) {
            Files.createDirectory(root.resolve(name));
            Files.writeString(root.resolve(name).resolve("part"), name);
        }
        settle();
    }

    private static void settle() throws InterruptedException {
        Thread.sleep(2 * TimeUnit.NANOSECONDS.toMillis(SourceState.SETTLED_NANOS));
    }

    private KeptSources kept(int tables) {
        return new KeptSources(new DataRoots(List.of(root.toString())),
                new ReuseLimits(tables, 1 << 20, TABLES), new KeptPlans(TABLES));
    }

    private KeptSources.Source open(KeptSources kept, String name) throws Exception {
        String path = root.resolve(name).toString();
        return kept.open(new KeptSources.Key(QueryRequest.Source.PARQUET, path, -1, null),
                new AnswerBasis.TableRead("files", path, path), () -> {
                    loads++;
                    return new OneRowRelation();
                });
    }

    private static int count(KeptSources kept) {
        ObjectNode facts = Json.object();
        kept.addTo(facts);
        return facts.get("kept_sources").asInt();
    }

    @Test
    void aTableIsLoadedOnceWhileItIsTheSame() throws Exception {
        KeptSources kept = kept(TABLES);
        KeptSources.Source first = open(kept, "a");
        assertTrue(first.isKept());
        assertSame(first, open(kept, "a"));
        assertEquals(1, loads);
        Files.writeString(root.resolve("a/part"), "A");
        KeptSources.Source fresh = open(kept, "a");
        assertNotSame(first, fresh);
        assertFalse(first.isKept());
        settle();
        assertTrue(open(kept, "a").isKept());
    }

    @Test
    void whatChangesWhileItIsReadIsNotKept() throws Exception {
        KeptSources kept = kept(TABLES);
        String path = root.resolve("a").toString();
        KeptSources.Source read = kept.open(
                new KeptSources.Key(QueryRequest.Source.PARQUET, path, -1, null),
                new AnswerBasis.TableRead("files", path, path), () -> {
                    Unchecked.call(() -> Files.writeString(root.resolve("a/part"), "B"));
                    return new OneRowRelation();
                });
        assertFalse(read.isKept());
        assertEquals(0, count(kept));
    }

    @Test
    void theOneUsedLongestAgoGoesAtTheBound() throws Exception {
        KeptSources kept = kept(TABLES);
        KeptSources.Source first = open(kept, "a");
        KeptSources.Source second = open(kept, "b");
        assertSame(first, open(kept, "a"));
        open(kept, "c");
        assertEquals(TABLES, count(kept));
        assertSame(first, open(kept, "a"));
        assertNotSame(second, open(kept, "b"));
    }

    @Test
    void aBoundOfNoneKeepsNone() throws Exception {
        KeptSources kept = kept(0);
        assertFalse(open(kept, "a").isKept());
        assertNotSame(open(kept, "a"), open(kept, "a"));
        assertEquals(0, count(kept));
    }

    @Test
    void aTableWithoutAKeyIsNeverKept() throws Exception {
        KeptSources kept = kept(TABLES);
        String path = root.resolve("a").toString();
        assertFalse(kept.open(null, new AnswerBasis.TableRead("files", path, path),
                OneRowRelation::new).isKept());
        assertEquals(0, count(kept));
    }
}
