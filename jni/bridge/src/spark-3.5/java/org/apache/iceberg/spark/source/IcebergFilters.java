package org.apache.iceberg.spark.source;

import java.util.List;
import org.apache.iceberg.spark.Spark3Util;
import org.apache.iceberg.spark.SparkV2Filters;
import org.apache.spark.sql.connector.expressions.filter.Predicate;
import org.apache.spark.sql.connector.read.Scan;

/**
 * The filters that an Iceberg scan has taken. In Iceberg's package, because a scan tells them to its
 * neighbours only.
 */
public final class IcebergFilters {
    private IcebergFilters() {
    }

    public static boolean isIceberg(Scan scan) {
        return scan instanceof SparkScan;
    }

    /** In Iceberg's own words. */
    public static List<String> pushed(Scan scan) {
        return ((SparkScan) scan).filterExpressions().stream().map(Spark3Util::describe).toList();
    }

    public static boolean canPush(Predicate predicate) {
        return SparkV2Filters.convert(predicate) != null;
    }
}
