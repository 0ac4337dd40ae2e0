package sparkservice.bridge;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The queries in flight, by id (for tasks and cursors) and by tag (for cancelling). */
final class QueryRegistry {
    private static final Map<Long, Query> BY_ID = new ConcurrentHashMap<>();
    private static final Map<String, Query> BY_TAG = new ConcurrentHashMap<>();

    private QueryRegistry() {
    }

    /** False when a query of that tag is in flight. */
    static boolean add(Query query) {
        if (BY_TAG.putIfAbsent(query.tag(), query) != null) {
            return false;
        }
        BY_ID.put(query.id(), query);
        return true;
    }

    static void remove(Query query) {
        BY_ID.remove(query.id(), query);
        BY_TAG.remove(query.tag(), query);
    }

    static Query byId(long id) {
        return BY_ID.get(id);
    }

    static Query byTag(String tag) {
        return BY_TAG.get(tag);
    }

    static int size() {
        return BY_ID.size();
    }

    /** Null in an executor of a cluster, and for a query that is over. */
    static ResultBuffer bufferOf(long id) {
        Query query = BY_ID.get(id);
        return query == null ? null : query.buffer();
    }
}
