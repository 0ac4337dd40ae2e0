package sparkservice.bridge;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import sparkservice.bridge.mysql.Address;
import sparkservice.bridge.mysql.Tls;

/**
 * One query as C hands it over: the fields of {@code struct spark_query} (jni/spark_engine.h).
 *
 * @param tag unique per attempt; job tag and handle for cancelling
 * @param source the endpoint
 * @param params JSON object of named parameters, of a mysql query the array of its values; or null
 * @param asOfVersion -1 when absent
 * @param rowLimit rows wanted at most, -1 when unlimited
 * @param timeoutMs what is left of the run time, -1 when unknown
 * @param mysql null but on the mysql endpoint
 * @param mysqlUsualQuotes the SQL holds only where quotes are read in the usual way
 */
record QueryRequest(String tag, Source source, String sql, String path, String table,
        JsonNode params, long asOfVersion, String asOfSnapshotId, String asOfTimestamp,
        long rowLimit, long timeoutMs, Address mysql,
        boolean mysqlUsualQuotes) {

    enum Source { MYSQL, PARQUET, DELTA, ICEBERG }

    boolean hasAsOf() {
        return asOfVersion >= 0 || asOfSnapshotId != null || asOfTimestamp != null;
    }

    static QueryRequest parse(byte[] json) throws BridgeException {
        try {
            JsonNode root = Json.parse(json);
            String params = Json.text(root, "params_json");
            return new QueryRequest(
                    required(root, "tag"),
                    source(required(root, "source")),
                    required(root, "sql"),
                    Json.text(root, "path"),
                    Json.text(root, "table"),
                    params == null ? null : Json.parse(params),
                    Json.number(root, "as_of_version", -1),
                    Json.text(root, "as_of_snapshot_id"),
                    Json.text(root, "as_of_timestamp"),
                    Json.number(root, "row_limit", -1),
                    Json.number(root, "timeout_ms", -1),
                    mysql(root.get("mysql")),
                    root.path("mysql_usual_quotes").asBoolean());
        } catch (IOException e) {
            throw new BridgeException(BridgeException.Code.BAD_REQUEST,
                    "The query or its params are not JSON.", e);
        }
    }

    private static Address mysql(JsonNode node) {
        if (node == null || node.isNull()) {
            return null;
        }
        return new Address(Json.text(node, "host"), (int) Json.number(node, "port", 3306),
                Json.text(node, "user"), Json.text(node, "password"), Json.text(node, "database"),
                new Tls(node.path("tls_mode").asText("preferred"), Json.text(node, "tls_ca"),
                        Json.text(node, "tls_cert"), Json.text(node, "tls_key")),
                Json.number(node, "connect_ms", 0), Json.number(node, "socket_ms", 0),
                node.path("writes").asBoolean());
    }

    private static Source source(String name) throws BridgeException {
        return switch (name) {
            case "mysql" -> Source.MYSQL;
            case "parquet" -> Source.PARQUET;
            case "delta" -> Source.DELTA;
            case "iceberg" -> Source.ICEBERG;
            default -> throw BridgeException.badRequest("Unknown source: " + name);
        };
    }

    private static String required(JsonNode root, String field) throws BridgeException {
        String value = Json.text(root, field);
        if (value == null) {
            throw BridgeException.badRequest("The query has no field " + field + ".");
        }
        return value;
    }
}
