package sparkservice.bridge;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.UnsafeRow;
import scala.collection.Iterator;
import scala.runtime.AbstractFunction2;

/** What runs in a task that decodes a small table: its rows, or null when they are too many. */
final class RowCollector extends AbstractFunction2<TaskContext, Iterator<InternalRow>, UnsafeRow[]>
        implements Serializable {
    private static final long serialVersionUID = 1L;

    private final long maxBytes;

    RowCollector(long maxBytes) {
        this.maxBytes = maxBytes;
    }

    @Override
    public UnsafeRow[] apply(TaskContext context, Iterator<InternalRow> rows) {
        List<UnsafeRow> kept = new ArrayList<>();
        long bytes = 0;
        while (rows.hasNext()) {
            context.killTaskIfInterrupted();
            if (!(rows.next() instanceof UnsafeRow row)) {
                return null;
            }
            bytes += SmallTable.bytesOf(row);
            if (bytes > maxBytes) {
                return null;
            }
            kept.add(row.copy());
        }
        return kept.toArray(UnsafeRow[]::new);
    }
}
