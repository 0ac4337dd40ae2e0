package sparkservice.bridge;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.lang.management.MemoryUsage;
import java.util.Set;
import org.apache.spark.sql.util.ArrowUtils;

/** What {@code facts} answers: {@code struct spark_facts} of jni/spark_facts.h as JSON. */
final class EngineFacts {
    private static final Set<String> BUFFER_POOLS = Set.of("direct", "mapped");

    private EngineFacts() {
    }

    static ObjectNode json(QueryProgress progress, ResultBuffer.Limits limits,
            KeptSources kept, KeptPlans plans) {
        ObjectNode facts = Json.object();
        facts.set("memory", memory());
        facts.put("waiting_bytes", limits.memory.usedBytes());
        facts.put("spooled_bytes", limits.spool.usedBytes());
        kept.addTo(facts);
        plans.addTo(facts);
        ArrayNode queries = facts.putArray("queries");
        progress.all().forEach((tag, counts) -> queries.addObject()
                .put("tag", tag)
                .put("stages_done", counts.stagesDone())
                .put("stages", counts.stages())
                .put("tasks_done", counts.tasksDone())
                .put("tasks", counts.tasks()));
        return facts;
    }

    private static ObjectNode memory() {
        ObjectNode areas = Json.object();
        MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
        areas.set("heap", area(memory.getHeapMemoryUsage()));
        areas.set("nonheap", area(memory.getNonHeapMemoryUsage()));
        for (BufferPoolMXBean pool : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
            if (BUFFER_POOLS.contains(pool.getName())) {
                areas.set(pool.getName(), Json.object().put("used", pool.getMemoryUsed())
                        .put("committed", pool.getTotalCapacity()));
            }
        }
        areas.set("arrow", Json.object().put("used", BatchReader.ALLOCATOR.getAllocatedMemory()
                + ArrowUtils.rootAllocator().getAllocatedMemory()));
        return areas;
    }

    private static ObjectNode area(MemoryUsage usage) {
        ObjectNode area = Json.object().put("used", usage.getUsed())
                .put("committed", usage.getCommitted());
        if (usage.getMax() >= 0) {
            area.put("max", usage.getMax());
        }
        return area;
    }
}
