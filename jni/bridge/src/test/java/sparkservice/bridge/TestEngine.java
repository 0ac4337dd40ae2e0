package sparkservice.bridge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.arrow.c.ArrowArray;
import org.apache.arrow.c.ArrowSchema;
import org.apache.arrow.c.CDataDictionaryProvider;
import org.apache.arrow.c.Data;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * The bridge as C sees it: bytes and addresses. One Spark for all tests of the process, over one
 * temporary data root.
 */
final class TestEngine {
    static final Path HOME = temporaryFolder();
    static final Path ROOT = HOME.resolve("root");
    static final Path WAREHOUSE = ROOT.resolve("iceberg");
    static final Path LOCAL_DIR = HOME.resolve("local");
    static final long SPOOL_BYTES = 64L << 20;
    private static final BufferAllocator IMPORTED = new RootAllocator();
    private static final AtomicLong TAGS = new AtomicLong();
    private static JsonNode started;

    private TestEngine() {
    }

    /** A failure as it crosses. */
    static final class Failed extends Exception {
        private static final long serialVersionUID = 1L;
        final transient JsonNode error;

        Failed(JsonNode error) {
            super(error.toString());
            this.error = error;
        }

        String code() {
            return error.path("code").asText();
        }

        String sqlState() {
            return error.path("sqlstate").asText();
        }
    }

    static synchronized JsonNode start() throws Exception {
        if (started == null) {
            Files.createDirectories(WAREHOUSE);
            Files.createDirectories(LOCAL_DIR);
            ObjectNode config = Json.object();
            config.put("master", "local[8]");
            config.put("data_roots", ROOT.toString());
            config.put("iceberg_warehouse", WAREHOUSE.toString());
            config.put("local_dir", LOCAL_DIR.toString());
            config.put("spool_bytes", SPOOL_BYTES);
            config.put("warm_up_ms", 60_000);
            started = Json.parse(Bridge.start(Json.bytes(config)));
            if (started.has("error")) {
                throw new Failed(started.get("error"));
            }
        }
        return started;
    }

    static ObjectNode query(String source, String sql) {
        ObjectNode query = Json.object();
        query.put("tag", "test-" + TAGS.incrementAndGet());
        query.put("source", source);
        query.put("sql", sql);
        return query;
    }

    /** An open cursor. */
    static final class Cursor implements AutoCloseable {
        final long id;
        final Schema schema;
        final JsonNode source;
        final JsonNode answer;

        private Cursor(Schema schema, JsonNode answer) {
            this.id = answer.get("cursor").asLong();
            this.schema = schema;
            this.source = answer.get("source");
            this.answer = answer;
        }

        Cursor(Schema schema, long id) {
            this.id = id;
            this.schema = schema;
            this.source = null;
            this.answer = null;
        }

        /** The next batch, which the caller closes; null at the end. */
        VectorSchemaRoot next() throws Failed {
            try (ArrowArray array = ArrowArray.allocateNew(IMPORTED)) {
                byte[] answer = Bridge.next(id, array.memoryAddress());
                if (answer != null) {
                    if (answer.length == 0) {
                        return null;
                    }
                    throw failed(answer);
                }
                VectorSchemaRoot root = VectorSchemaRoot.create(schema, IMPORTED);
                Data.importIntoVectorSchemaRoot(IMPORTED, array, root, null);
                return root;
            }
        }

        @Override
        public void close() throws Failed {
            byte[] answer = Bridge.close(id);
            if (answer != null) {
                throw failed(answer);
            }
        }
    }

    static Cursor open(ObjectNode query) throws Exception {
        start();
        try (ArrowSchema schema = ArrowSchema.allocateNew(IMPORTED);
                CDataDictionaryProvider dictionaries = new CDataDictionaryProvider()) {
            JsonNode answer = Json.parse(Bridge.open(Json.bytes(query), schema.memoryAddress()));
            if (answer.has("error")) {
                throw new Failed(answer.get("error"));
            }
            return new Cursor(Data.importSchema(IMPORTED, schema, dictionaries), answer);
        }
    }

    /** What {@code explain} answered. */
    static final class Explained {
        final Schema schema;
        final JsonNode answer;

        private Explained(Schema schema, JsonNode answer) {
            this.schema = schema;
            this.answer = answer;
        }
    }

    static Explained explain(ObjectNode query) throws Exception {
        start();
        try (ArrowSchema schema = ArrowSchema.allocateNew(IMPORTED);
                CDataDictionaryProvider dictionaries = new CDataDictionaryProvider()) {
            JsonNode answer = Json.parse(Bridge.explain(Json.bytes(query), schema.memoryAddress()));
            if (answer.has("error")) {
                throw new Failed(answer.get("error"));
            }
            return new Explained(Data.importSchema(IMPORTED, schema, dictionaries), answer);
        }
    }

    static Failed explainFailure(ObjectNode query) throws Exception {
        try {
            throw new AssertionError("no failure of " + query + " but " + explain(query).answer);
        } catch (Failed e) {
            return e;
        }
    }

    /** All rows, each as its values' texts; the cursor is closed. */
    static List<List<String>> rows(ObjectNode query) throws Exception {
        List<List<String>> rows = new ArrayList<>();
        try (Cursor cursor = open(query)) {
            while (appendBatch(cursor, rows)) {
                continue;
            }
        }
        return rows;
    }

    static boolean appendBatch(Cursor cursor, List<List<String>> rows) throws Failed {
        try (VectorSchemaRoot batch = cursor.next()) {
            for (int row = 0; batch != null && row < batch.getRowCount(); row++) {
                List<String> values = new ArrayList<>();
                for (int column = 0; column < batch.getFieldVectors().size(); column++) {
                    values.add(String.valueOf(batch.getVector(column).getObject(row)));
                }
                rows.add(values);
            }
            return batch != null;
        }
    }

    static List<List<String>> rows(String source, Path path, String sql) throws Exception {
        return rows(query(source, sql).put("path", path.toString()));
    }

    static Failed failure(ObjectNode query) {
        try {
            List<List<String>> rows = rows(query);
            throw new AssertionError("no failure of " + query + " but " + rows);
        } catch (Failed e) {
            return e;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** Bytes that the bridge has exported and C has not released yet, and those of the tests. */
    static long allocatedBytes() {
        return BatchReader.ALLOCATOR.getAllocatedMemory() + IMPORTED.getAllocatedMemory()
                + org.apache.spark.sql.util.ArrowUtils.rootAllocator().getAllocatedMemory();
    }

    static void deleteTree(Path folder) throws java.io.IOException {
        try (var paths = Files.walk(folder)) {
            for (Path path : paths.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    private static Failed failed(byte[] answer) {
        try {
            return new Failed(Json.parse(answer).get("error"));
        } catch (java.io.IOException e) {
            throw new AssertionError(new String(answer, StandardCharsets.UTF_8), e);
        }
    }

    private static Path temporaryFolder() {
        try {
            Path folder = Files.createTempDirectory("bridge-test-").toRealPath();
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                try {
                    deleteTree(folder);
                } catch (java.io.IOException e) {
                    // Spark's own hook is deleting its part at the same time.
                    folder.toFile().deleteOnExit();
                }
            }));
            return folder;
        } catch (java.io.IOException e) {
            throw new AssertionError(e);
        }
    }
}
