package sparkservice.bridge;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import sparkservice.bridge.scheduler.ReservingClusterManager;

/**
 * Every Spark setting that the service makes, with its reason.
 *
 * <p>Defaults give way to the operator's own settings; the safety switches don't. A caller can
 * change none of them: SET is not a query.
 */
final class SessionSettings {
    /** File systems among Hadoop's jars that reach other hosts, or files by another name. */
    private static final List<String> REFUSED_SCHEMES = List.of("http", "https", "ftp", "sftp",
            "webhdfs", "swebhdfs", "viewfs", "har", "s3", "s3n", "wasb", "wasbs", "abfs", "abfss",
            "gs", "oss", "cosn", "obs", "nullscan");

    private static final String EXTENSIONS = "io.delta.sql.DeltaSparkSessionExtension,"
            + "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions";

    private final Map<String, String> settings = new LinkedHashMap<>();

    private SessionSettings() {
    }

    static Map<String, String> of(EngineConfig config) {
        SessionSettings all = new SessionSettings();
        all.defaults(config);
        all.settings.putAll(config.operatorSettings());
        all.switches(config);
        return all.settings;
    }

    /** For the tools that write sample data: catalogs and formats, no guards. */
    static Map<String, String> ofWriter(String warehouse, String localDir) {
        SessionSettings all = new SessionSettings();
        all.semantics();
        all.formats(warehouse);
        all.settings.put("spark.ui.enabled", "false");
        all.settings.put("spark.local.dir", localDir);
        all.settings.put("spark.sql.warehouse.dir", localDir + "/warehouse");
        all.settings.put("spark.sql.catalogImplementation", "in-memory");
        all.settings.put("spark.sql.shuffle.partitions", "2");
        all.settings.put("spark.driver.host", "localhost");
        all.settings.put("spark.driver.bindAddress", "127.0.0.1");
        return all.settings;
    }

    private void defaults(EngineConfig config) {
        // What the UI and logs call us.
        put("spark.app.name", "spark-service");
        // Queries are small; each partition of a shuffle costs a task and an entry per metric.
        put("spark.sql.shuffle.partitions", "4");
        // Bounds what one broadcast can hold on the driver; the default, said because it matters.
        put("spark.sql.autoBroadcastJoinThreshold", "10m");
        // A sort with a limit above this is a real sort and not a heap of rows in memory.
        put("spark.sql.execution.topKSortFallbackThreshold", "100000");
        // A new thread for every stage until there are so many, each idle for a minute: not 1024.
        put("spark.sql.shuffleExchange.maxThreadThreshold", "128");
        put("spark.sql.resultQueryStage.maxThreadThreshold", "128");
        // A backstop only: results don't pass through the driver's collect.
        put("spark.driver.maxResultSize", "256m");
        // Unused shuffles and broadcasts are freed after a GC; make one happen.
        put("spark.cleaner.periodicGC.interval", "10min");
        // The status store keeps what it has seen; a service sees much.
        put("spark.ui.retainedJobs", "50");
        put("spark.ui.retainedStages", "100");
        put("spark.ui.retainedTasks", "1000");
        put("spark.sql.ui.retainedExecutions", "50");
        put("spark.ui.retainedDeadExecutors", "5");
        put("spark.worker.ui.retainedExecutors", "5");
        // A wide plan's text costs more than planning it.
        put("spark.sql.maxPlanStringLength", "16384");
        // Listing one table's folders is one thread's work here; a listing job would be a job more.
        put("spark.sql.sources.parallelPartitionDiscovery.threshold", "1024");
        // A snapshot of a small table in one task instead of 50.
        put("spark.databricks.delta.snapshotPartitions", "2");
        // Bounded by count, not only by idle time.
        put("spark.databricks.delta.deltaLog.cacheSize", "200");
        put("spark.databricks.delta.deltaLog.cacheRetentionMinutes", "10");
        // Shown once per start at WARN otherwise; it's what a service on one machine wants.
        put("spark.driver.host", "localhost");
        put("spark.driver.bindAddress", "127.0.0.1");
        // Two slow queries must not hold back a small one between stages.
        put("spark.scheduler.mode", "FAIR");
        if (config.ui()) {
            put("spark.ui.port", Integer.toString(config.uiPort()));
        }
    }

    private void switches(EngineConfig config) {
        semantics();
        formats(config.icebergWarehouse());
        put("spark.sql.extensions", EXTENSIONS + "," + FenceExtension.class.getName());
        put("spark.master", ReservingClusterManager.masterUrl(config.master()));
        guard(config);
        // Ours alone and wiped at start.
        put("spark.local.dir", config.localDir());
        put("spark.sql.warehouse.dir", config.localDir() + "/warehouse");
        // No metastore: nothing is registered, so nothing is stale.
        put("spark.sql.catalogImplementation", "in-memory");
        // parquet.`path` would read any file.
        put("spark.sql.runSQLOnFiles", "false");
        // ${env:…} and ${system:…} in a statement would be replaced before it is parsed.
        put("spark.sql.variable.substitute", "false");
        // A cancel interrupts the task's thread; no HDFS client here that it could hurt.
        put("spark.sql.execution.interruptOnCancel", "true");
        // A statement whose task runs out of stack would end the process; memory is the JVM's to see.
        put("spark.executor.killOnFatalError.depth", "0");
        // A CTE that uses itself: so many rounds and rows, whatever a later default.
        put("spark.sql.cteRecursionLevelLimit", "100");
        put("spark.sql.cteRecursionRowLimit", "1000000");
        if (config.taskNice() > 0) {
            // Beside the operator's own plugins.
            settings.merge("spark.plugins", TaskThreads.class.getName(),
                    (operators, ours) -> operators + "," + ours);
            put(TaskThreads.NICE, Integer.toString(config.taskNice()));
        }
        // The UI is the operator's: loopback, and nobody kills queries in it.
        put("spark.ui.enabled", Boolean.toString(config.ui()));
        put("spark.ui.killEnabled", "false");
        put("spark.ui.showConsoleProgress", "false");
        // A statement is a key into nothing that may be shown: no properties in the UI's pages.
        put("spark.redaction.regex", "(?i)secret|password|token|access.?key|url|user");
        // Delta's cached snapshot is checked against the log at each read.
        put("spark.databricks.delta.stalenessLimit", "0");
        // Listings belong to one query; another writer's files must be seen by the next.
        put("spark.sql.hive.filesourcePartitionFileCacheSize", "0");
        put("spark.sql.metadataCacheTTLSeconds", "-1");
        // A read must not write statistics or checkpoints into the caller's table.
        put("spark.databricks.delta.checkpoint.triggerOnRead.enabled", "false");
        // Nobody adds classes to the session; isolated, each name that generated code may mean is asked
        // for over the network, and an interrupt in between leaves a class unusable for good.
        put("spark.sql.artifact.isolation.enabled", "false");
        // The compressed form saves nothing within one process.
        put("spark.sql.execution.arrow.compression.codec", "none");
    }

    /** Whatever names a file, its bytes come through these. */
    private void guard(EngineConfig config) {
        put("spark.hadoop." + RootGuard.READABLE,
                config.dataRoots() + "," + config.icebergWarehouse());
        put("spark.hadoop." + RootGuard.WRITABLE, config.localDir());
        put("spark.hadoop.fs.file.impl", GuardedLocalFileSystem.class.getName());
        put("spark.hadoop.fs.AbstractFileSystem.file.impl", GuardedLocalFs.class.getName());
        put("spark.hadoop.fs.s3a.impl", GuardedS3AFileSystem.class.getName());
        for (String scheme : REFUSED_SCHEMES) {
            put("spark.hadoop.fs." + scheme + ".impl", RefusedFileSystem.class.getName());
        }
        if (config.master().startsWith("local")) {
            // On a cluster its own staging files may be there.
            put("spark.hadoop.fs.hdfs.impl", RefusedFileSystem.class.getName());
        }
    }

    /** What a statement means: the same on both Spark lines. */
    private void semantics() {
        put("spark.sql.session.timeZone", "UTC");
        put("spark.sql.ansi.enabled", "true");
        put("spark.sql.timestampType", "TIMESTAMP_LTZ");
        put("spark.sql.datetime.java8API.enabled", "true");
        // Dates before 1900 in old files: as they are written, not an error.
        put("spark.sql.parquet.datetimeRebaseModeInRead", "CORRECTED");
        put("spark.sql.parquet.int96RebaseModeInRead", "CORRECTED");
        put("spark.sql.parquet.inferTimestampNTZ.enabled", "true");
        put("spark.sql.caseSensitive", "false");
        // TIME exists in 4.1, but off; 3.5 knows neither the type nor the key.
        put("spark.sql.timeType.enabled", "true");
    }

    private void formats(String icebergWarehouse) {
        put("spark.sql.extensions", EXTENSIONS);
        put("spark.sql.catalog.spark_catalog",
                "org.apache.spark.sql.delta.catalog.DeltaCatalog");
        icebergCatalog("local", icebergWarehouse);
        // What Iceberg's reader uses for a path; its own default wants a Hive metastore.
        icebergCatalog("default_iceberg", icebergWarehouse);
    }

    private void icebergCatalog(String name, String warehouse) {
        String key = "spark.sql.catalog." + name;
        put(key, "org.apache.iceberg.spark.SparkCatalog");
        put(key + ".type", "hadoop");
        put(key + ".warehouse", warehouse);
        // A cached table expires after the last access: one that is polled would stay stale.
        put(key + ".cache-enabled", "false");
    }

    private void put(String key, String value) {
        settings.put(key, value);
    }
}
