package sparkservice.bridge;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/** What C hands over at start: {@code struct spark_engine_config} as JSON. */
record EngineConfig(String master, Map<String, String> operatorSettings, String dataRoots,
        String icebergWarehouse, String localDir, long spoolBytes, SqlLimits limits, ReuseLimits reuse,
        boolean ui, int uiPort, int taskNice) {

    private static final long DEFAULT_SPOOL_BYTES = 4L << 30;

    static EngineConfig parse(byte[] json) throws BridgeException {
        try {
            JsonNode root = Json.parse(json);
            Map<String, String> conf = new LinkedHashMap<>();
            JsonNode given = root.get("conf");
            if (given != null) {
                given.fields().forEachRemaining(
                        entry -> conf.put(entry.getKey(), entry.getValue().asText()));
            }
            return new EngineConfig(required(root, "master"), conf, required(root, "data_roots"),
                    required(root, "iceberg_warehouse"), required(root, "local_dir"),
                    Json.number(root, "spool_bytes", DEFAULT_SPOOL_BYTES), SqlLimits.of(root), ReuseLimits.of(root),
                    root.path("ui").asBoolean(false), (int) Json.number(root, "ui_port", 4040),
                    (int) Json.number(root, "task_nice", 0));
        } catch (IOException e) {
            throw new BridgeException(BridgeException.Code.ENGINE_ERROR,
                    "The configuration is not JSON.", e);
        }
    }

    private static String required(JsonNode root, String field) throws BridgeException {
        String value = Json.text(root, field);
        if (value == null || value.isEmpty()) {
            throw new BridgeException(BridgeException.Code.ENGINE_ERROR,
                    "The configuration has no " + field + ".");
        }
        return value;
    }
}
