package sparkservice.bridge;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;

/**
 * What C calls. Static, coarse, and nothing is ever thrown: a failure is an answer,
 * {@code {"error":{…}}} as UTF-8 JSON.
 *
 * <p>{@code open} and {@code next} block; {@code cancel} never does. A cursor belongs to the thread
 * that opened it; {@code cancel} may come from any other. C owns what {@code open} and {@code next}
 * export and releases it exactly once, before or after {@code close}.
 */
public final class Bridge {
    private static final byte[] END = new byte[0];
    private static final ErrorMapper ERRORS = new ErrorMapper("");

    private static volatile Engine engine;

    private Bridge() {
    }

    private interface Call {
        byte[] run() throws Exception;
    }

    /** {@code {"spark_version":"4.1.0"}} or an error. Called once. */
    public static byte[] start(byte[] config) {
        return guarded(() -> {
            engine = new Engine(EngineConfig.parse(config));
            ObjectNode answer = Json.object();
            answer.put("spark_version", engine.version());
            return Json.bytes(answer);
        });
    }

    /**
     * Plans and starts a query; fills the ArrowSchema. {@code {"cursor":17,"source":{…},
     * "repeatable":true,"reads":[{"layout":"delta","asked":"/a","location":"/b"}]}} or an error.
     */
    public static byte[] open(byte[] query, long schemaAddress) {
        return guarded(() -> {
            ObjectNode answer = Json.object();
            Query opened = running().open(QueryRequest.parse(query), schemaAddress);
            answer.put("cursor", opened.id());
            answer.set("source", opened.plan().source().json());
            opened.plan().basis().addTo(answer);
            return Json.bytes(answer);
        });
    }

    /**
     * Plans a query and runs nothing; fills the ArrowSchema.
     * {@code {"plan":"…","source":{…},"pushed_filters":[…],"unpushed_filters":[…]}} or an error.
     */
    public static byte[] explain(byte[] query, long schemaAddress) {
        return guarded(() -> Json.bytes(
                running().explain(QueryRequest.parse(query), schemaAddress)));
    }

    /** Null: the ArrowArray is filled. Empty: the end. Else an error. */
    public static byte[] next(long cursor, long arrayAddress) {
        return guarded(() -> running().next(cursor, arrayAddress) ? null : END);
    }

    /** Ends the query whatever its state; returns when nothing of it runs. Null or an error. */
    public static byte[] close(long cursor) {
        return guarded(() -> {
            running().close(cursor);
            return null;
        });
    }

    /** Cancels the query of that tag; an unknown tag does nothing. Null or an error. */
    public static byte[] cancel(byte[] tag) {
        return guarded(() -> {
            Engine.cancel(new String(tag, StandardCharsets.UTF_8));
            return null;
        });
    }

    /** Runs one tiny job end to end and checks its answer. Null or an error. */
    public static byte[] canary() {
        return guarded(() -> {
            running().canary();
            return null;
        });
    }

    /**
     * Runs the service's own statements; the first call begins them, each waits for them. Null: they
     * are over. Empty: they go on. Else an error.
     */
    public static byte[] warmUp(long waitMs) {
        return guarded(() -> running().warmUp(waitMs) ? null : END);
    }

    /** {@code {"memory":{…},"waiting_bytes":0,"spooled_bytes":0,"queries":[…]}} or an error. */
    public static byte[] facts() {
        return guarded(() -> Json.bytes(running().facts()));
    }

    /** Stops Spark. Null or an error. */
    public static byte[] stop() {
        return guarded(() -> {
            Engine stopping = engine;
            engine = null;
            if (stopping != null) {
                stopping.close();
            }
            return null;
        });
    }

    private static Engine running() throws BridgeException {
        Engine current = engine;
        if (current == null) {
            throw new BridgeException(BridgeException.Code.ENGINE_ERROR, "Spark is not running.");
        }
        return current;
    }

    /** A thread that C attached has no context class loader; Spark and Hadoop look there. */
    private static byte[] guarded(Call call) {
        Thread thread = Thread.currentThread();
        if (thread.getContextClassLoader() == null) {
            thread.setContextClassLoader(Bridge.class.getClassLoader());
        }
        try {
            return call.run();
        } catch (Throwable e) {
            return ERRORS.map(e, false).toJson();
        }
    }
}
