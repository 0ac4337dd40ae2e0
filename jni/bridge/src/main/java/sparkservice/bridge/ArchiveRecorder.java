package sparkservice.bridge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.apache.arrow.c.ArrowArray;
import org.apache.arrow.c.ArrowSchema;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;

/**
 * Walks the service's ways once over the sample data, so that the CDS archive which the VM writes
 * when it ends holds the classes of real queries.
 *
 * <pre>
 * java @jvm.options -XX:ArchiveClassesAtExit=app.jsa -cp JARS sparkservice.bridge.ArchiveRecorder \
 *     --sample DIR --local-dir DIR
 * </pre>
 *
 * Any unexpected answer ends it with exit code 1.
 */
public final class ArchiveRecorder {
    private static final long WARM_UP_MS = 120_000;
    private static final String CLASS_FILE = ".class";

    private final BufferAllocator allocator = new RootAllocator();
    private final Map<String, String> arguments = new HashMap<>();
    private int tags;

    private ArchiveRecorder() {
    }

    public static void main(String[] args) throws Exception {
        ArchiveRecorder recorder = new ArchiveRecorder();
        for (int i = 0; i + 1 < args.length; i += 2) {
            recorder.arguments.put(args[i], args[i + 1]);
        }
        recorder.run();
        System.exit(0);
    }

    private void run() throws Exception {
        Path sample = Path.of(arguments.get("--sample")).toAbsolutePath();
        Path localDir = Files.createDirectories(Path.of(arguments.get("--local-dir")));
        ObjectNode config = Json.object();
        config.put("master", "local[8]");
        config.put("data_roots", sample.toString());
        config.put("iceberg_warehouse", sample.resolve("iceberg").toString());
        config.put("local_dir", localDir.toAbsolutePath().toString());
        expectNoError(Bridge.start(Json.bytes(config)));
        expectNoError(Bridge.canary());
        expectNoError(Bridge.warmUp(WARM_UP_MS));
        for (String source : new String[] {"parquet", "delta", "iceberg"}) {
            String table = source + "_data";
            Path path = sample.resolve(source).resolve("users");
            query(source, path, "SELECT * FROM " + table + " ORDER BY id");
            query(source, path, "SELECT city, count(*) AS n, sum(balance), avg(age), max(created_at)"
                    + " FROM " + table + " WHERE age > 30 GROUP BY city HAVING count(*) > 0"
                    + " ORDER BY n DESC LIMIT 5");
            query(source, path, "WITH old AS (SELECT * FROM " + table + " WHERE age > 70)"
                    + " SELECT u.name, array(u.id), named_struct('c', u.city), map(u.name, 1.5),"
                    + " row_number() OVER (PARTITION BY u.city ORDER BY u.id)"
                    + " FROM " + table + " u JOIN old o ON u.id = o.id"
                    + " WHERE u.id IN (SELECT id FROM old) LIMIT 3");
            query(source, path, "DESCRIBE " + table);
            expectError(source, path, "SELECT nope FROM " + table);
            expectError(source, path, "SELECT FROM WHERE");
        }
        mysql();
        expectNoError(Bridge.stop());
    }

    /** What a connection and its statements need; there is no server here, so it is called by name. */
    private void mysql() throws Exception {
        loadAll(ArchiveRecorder.class, "sparkservice/");
        loadAll(com.mysql.cj.jdbc.Driver.class, "com/mysql/cj/");
        SSLEngine tls = SSLContext.getDefault().createSSLEngine("localhost", 1);
        tls.setUseClientMode(true);
        ByteBuffer hello = ByteBuffer.allocate(tls.getSession().getPacketBufferSize());
        tls.wrap(ByteBuffer.allocate(0), hello);
        try (ServerSocket nobody = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            int port = nobody.getLocalPort();
            nobody.close();
            ObjectNode query = request("mysql", "SELECT 1");
            query.putObject("mysql").put("host", "127.0.0.1").put("port", port).put("user", "nobody")
                    .put("password", "").put("tls_mode", "preferred").put("connect_ms", 1000)
                    .put("socket_ms", 1000).put("writes", false);
            expectError(query);
        }
    }

    /** The classes of a jar whose names begin so, as far as all is there that they need. */
    private static void loadAll(Class<?> one, String begin) throws Exception {
        Path jar = Path.of(one.getProtectionDomain().getCodeSource().getLocation().toURI());
        try (JarFile file = new JarFile(jar.toFile())) {
            file.stream().map(JarEntry::getName)
                    .filter(name -> name.startsWith(begin) && name.endsWith(CLASS_FILE))
                    .forEach(name -> load(name, one.getClassLoader()));
        }
    }

    private static void load(String file, ClassLoader loader) {
        String name = file.substring(0, file.length() - CLASS_FILE.length()).replace('/', '.');
        try {
            Class.forName(name, false, loader);
        } catch (ClassNotFoundException | LinkageError e) {
            System.out.println("not loaded: " + name + ": " + e); // an extra that isn't among the jars
        }
    }

    private void query(String source, Path path, String sql) throws Exception {
        JsonNode answer = open(request(source, sql).put("path", path.toString()));
        if (answer.has("error")) {
            throw new IllegalStateException(sql + ": " + answer);
        }
        long cursor = answer.get("cursor").asLong();
        byte[] end = null;
        while (end == null) {
            try (ArrowArray array = ArrowArray.allocateNew(allocator)) {
                end = Bridge.next(cursor, array.memoryAddress());
                if (end == null) {
                    array.release();
                }
            }
        }
        if (end.length > 0) {
            throw new IllegalStateException(sql + ": " + new String(end));
        }
        expectNoError(Bridge.close(cursor));
    }

    private void expectError(String source, Path path, String sql) throws Exception {
        expectError(request(source, sql).put("path", path.toString()));
    }

    private void expectError(ObjectNode query) throws Exception {
        if (!open(query).has("error")) {
            throw new IllegalStateException("no error: " + query);
        }
    }

    private ObjectNode request(String source, String sql) {
        return Json.object().put("tag", "archive-" + ++tags).put("source", source).put("sql", sql);
    }

    private JsonNode open(ObjectNode query) throws Exception {
        try (ArrowSchema schema = ArrowSchema.allocateNew(allocator)) {
            JsonNode answer = Json.parse(Bridge.open(Json.bytes(query), schema.memoryAddress()));
            if (!answer.has("error")) {
                schema.release();
            }
            return answer;
        }
    }

    private static void expectNoError(byte[] answer) {
        if (answer != null && new String(answer).startsWith("{\"error\"")) {
            throw new IllegalStateException(new String(answer));
        }
    }
}
