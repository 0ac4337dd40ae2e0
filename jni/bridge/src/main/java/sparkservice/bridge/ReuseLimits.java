package sparkservice.bridge;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * How much is kept between queries: the settings KEPT_SOURCES, KEPT_SOURCE_BYTES and KEPT_PLANS.
 *
 * @param sources tables at most; 0 keeps nothing
 * @param sourceMemoryBytes rows of small tables, all together
 * @param plans planned statements at most
 */
record ReuseLimits(int sources, long sourceMemoryBytes, int plans) {
    /** As many inodes of a table are looked at for each statement, some microseconds each. */
    private static final int INODES = 256;

    static ReuseLimits of(JsonNode config) {
        return new ReuseLimits((int) Json.number(config, "kept_sources", 256),
                Json.number(config, "kept_source_bytes", 64L << 20),
                (int) Json.number(config, "kept_plans", 256));
    }

    int inodes() {
        return INODES;
    }
}
