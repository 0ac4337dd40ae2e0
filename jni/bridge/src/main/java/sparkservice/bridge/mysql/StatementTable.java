package sparkservice.bridge.mysql;

import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.connector.catalog.SupportsRead;
import org.apache.spark.sql.connector.catalog.TableCapability;
import org.apache.spark.sql.connector.read.Batch;
import org.apache.spark.sql.connector.read.InputPartition;
import org.apache.spark.sql.connector.read.PartitionReader;
import org.apache.spark.sql.connector.read.PartitionReaderFactory;
import org.apache.spark.sql.connector.read.Scan;
import org.apache.spark.sql.connector.read.ScanBuilder;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.sql.util.CaseInsensitiveStringMap;

/**
 * A running MySQL statement as a table of Spark: one partition, read once, columns in select order.
 *
 * <p>Not Spark's own JDBC source, which wraps the statement into a derived table: that loses ORDER
 * BY, refuses equal column names, and can't hold SHOW or DESCRIBE.
 */
final class StatementTable implements SupportsRead, ScanBuilder, Scan, Batch {
    private final String key;
    private final StructType schema;

    StatementTable(String key, List<Column> columns) {
        this.key = key;
        StructField[] fields = new StructField[columns.size()];
        for (int i = 0; i < fields.length; i++) {
            fields[i] = columns.get(i).field(i);
        }
        this.schema = new StructType(fields);
    }

    @Override
    public String name() {
        return "mysql";
    }

    @Override
    @SuppressWarnings("deprecation") // columns(), its successor, is derived from it on both lines.
    public StructType schema() {
        return schema;
    }

    @Override
    public Set<TableCapability> capabilities() {
        return Set.of(TableCapability.BATCH_READ);
    }

    @Override
    public ScanBuilder newScanBuilder(CaseInsensitiveStringMap options) {
        return this;
    }

    @Override
    public Scan build() {
        return this;
    }

    @Override
    public StructType readSchema() {
        return schema;
    }

    @Override
    public Batch toBatch() {
        return this;
    }

    @Override
    public InputPartition[] planInputPartitions() {
        return new InputPartition[] {new Rows(key, schema.size())};
    }

    @Override
    public PartitionReaderFactory createReaderFactory() {
        return new RowsReaderFactory();
    }

    private record Rows(String key, int width) implements InputPartition {
    }

    private static final class RowsReaderFactory implements PartitionReaderFactory {
        private static final long serialVersionUID = 1L;

        @Override
        public PartitionReader<InternalRow> createReader(InputPartition partition) {
            Rows rows = (Rows) partition;
            RunningStatement statement = RunningStatement.find(rows.key());
            if (statement == null) {
                throw new IllegalStateException("The MySQL statement is over, or is another"
                        + " process's: MySQL through Spark needs a local master.");
            }
            return new RowsReader(statement, rows.width());
        }
    }

    private static final class RowsReader implements PartitionReader<InternalRow> {
        private final RunningStatement statement;
        private final int width;

        RowsReader(RunningStatement statement, int width) {
            this.statement = statement;
            this.width = width;
        }

        @Override
        public boolean next() throws java.io.IOException {
            try {
                return statement.nextRow();
            } catch (SQLException e) {
                throw new java.io.IOException(e);
            }
        }

        @Override
        public InternalRow get() {
            Object[] values = new Object[width];
            try {
                for (int i = 0; i < width; i++) {
                    values[i] = statement.value(i);
                }
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
            return new GenericInternalRow(values);
        }

        @Override
        public void close() {
            statement.close();
        }
    }
}
