import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import com.fasterxml.jackson.databind.ObjectMapper;

/** Spark Thrift Server's client: JDBC, one connection. Argument: the JDBC address. */
final class ThriftClient implements Statements.Peer<List<Map<String, Object>>> {
    private final Connection connection;

    private ThriftClient(Connection connection) {
        this.connection = connection;
    }

    public static void main(String[] args) throws Exception {
        Class.forName("org.apache.hive.jdbc.HiveDriver");
        try (Connection connection = DriverManager.getConnection(args[0], "bench", "")) {
            Statements.serve(new ThriftClient(connection), System.out);
        }
    }

    @Override
    public List<Map<String, Object>> run(String sql) throws Exception {
        List<Map<String, Object>> rows = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            ResultSetMetaData columns = result.getMetaData();
            while (result.next()) {
                Map<String, Object> row = new LinkedHashMap<>();
                for (int i = 1; i <= columns.getColumnCount(); i++) {
                    row.put(columns.getColumnLabel(i), result.getObject(i));
                }
                rows.add(row);
            }
        }
        return rows;
    }

    @Override
    public String json(List<Map<String, Object>> rows) throws Exception {
        return new ObjectMapper().writeValueAsString(rows);
    }
}
