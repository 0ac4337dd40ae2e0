package sparkservice.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What a caller's statement must not be able to do, by family, and what it must. */
class GateTest {
    private static final String SECRET = "the canary sings";
    private static final Path SECRET_FILE = TestEngine.HOME.resolve("secret.txt");

    /** Whole statements; each must be refused as such. */
    private static final List<String> STATEMENTS = List.of(
            // writes
            "INSERT INTO parquet_data VALUES (1)",
            "INSERT OVERWRITE DIRECTORY '${home}/out' USING parquet SELECT 1",
            "INSERT OVERWRITE LOCAL DIRECTORY '${home}/out' SELECT 1",
            "FROM parquet_data INSERT INTO other SELECT *",
            "CREATE TABLE t (a INT) USING parquet",
            "CREATE TABLE t USING parquet LOCATION '${home}/out' AS SELECT 1",
            "CREATE OR REPLACE TABLE delta.`${root}/t` AS SELECT 1 AS a",
            "CREATE VIEW v AS SELECT 1",
            "CREATE TEMPORARY VIEW v USING text OPTIONS (path '${home}/secret.txt')",
            "CREATE TEMP VIEW v AS SELECT * FROM parquet_data",
            "UPDATE delta.`${root}/users` SET a = 1",
            "DELETE FROM delta.`${root}/users`",
            "MERGE INTO delta.`${root}/users` t USING parquet_data s ON t.id = s.id"
                    + " WHEN MATCHED THEN DELETE",
            "TRUNCATE TABLE parquet_data",
            "DROP TABLE parquet_data",
            "DROP NAMESPACE local.db",
            "ALTER TABLE parquet_data ADD COLUMN x INT",
            "LOAD DATA INPATH '${home}/secret.txt' INTO TABLE t",
            "MSCK REPAIR TABLE parquet_data",
            // settings and state
            "SET spark.sql.runSQLOnFiles=true",
            "SET",
            "RESET",
            "SET TIME ZONE 'Asia/Tokyo'",
            "SET CATALOG local",
            "USE local",
            "USE local.db",
            "DECLARE x INT DEFAULT 1",
            "DECLARE VARIABLE x INT",
            "SET VAR x = 1",
            "DROP TEMPORARY VARIABLE x",
            "CACHE TABLE parquet_data",
            "CACHE TABLE c AS SELECT 1",
            "UNCACHE TABLE parquet_data",
            "CLEAR CACHE",
            "REFRESH TABLE parquet_data",
            "REFRESH '${root}'",
            "ANALYZE TABLE parquet_data COMPUTE STATISTICS",
            // code and files
            "ADD JAR '${home}/x.jar'",
            "ADD FILE '${home}/secret.txt'",
            "ADD ARCHIVE '${home}/x.zip'",
            "LIST FILES",
            "CREATE FUNCTION f AS 'java.lang.Runtime' USING JAR '${home}/x.jar'",
            "CREATE TEMPORARY FUNCTION f AS 'java.lang.System'",
            "CREATE TEMPORARY FUNCTION f() RETURNS INT RETURN 1",
            "DROP TEMPORARY FUNCTION IF EXISTS abs",
            // dynamic statements and scripts
            "EXECUTE IMMEDIATE 'SELECT 1'",
            "EXECUTE IMMEDIATE 'DROP TABLE x'",
            "BEGIN SELECT 1; END",
            "BEGIN DECLARE x INT; SET x = 1; SELECT x; END",
            "BEGIN IF 1 = 1 THEN SELECT 1; END IF; END",
            // procedures and maintenance
            "CALL local.system.expire_snapshots('db.t')",
            "CALL local.system.register_table('db.t', '${home}/m.json')",
            "OPTIMIZE delta.`${root}/users`",
            "VACUUM delta.`${root}/users`",
            "RESTORE TABLE delta.`${root}/users` TO VERSION AS OF 0",
            "CONVERT TO DELTA parquet.`${root}/users`",
            "GENERATE symlink_format_manifest FOR TABLE delta.`${root}/users`",
            // information
            "EXPLAIN SELECT 1",
            "EXPLAIN EXTENDED SELECT * FROM parquet_data",
            "SHOW TABLES",
            "SHOW NAMESPACES",
            "SHOW CATALOGS",
            "SHOW FUNCTIONS",
            "SHOW VIEWS",
            "SHOW CREATE TABLE parquet_data",
            "SHOW TBLPROPERTIES parquet_data",
            "SHOW PARTITIONS parquet_data",
            "SHOW COLUMNS IN parquet_data",
            "DESCRIBE EXTENDED parquet_data",
            "DESCRIBE FORMATTED parquet_data",
            "DESCRIBE parquet_data id",
            "DESCRIBE SELECT 1",
            "DESCRIBE FUNCTION abs",
            "DESCRIBE NAMESPACE local.db",
            "DESCRIBE DETAIL delta.`${root}/users`",
            "DESCRIBE HISTORY delta.`${root}/users`",
            "COMMENT ON TABLE parquet_data IS 'x'");

    /** Relations; each is put into several places of a query. */
    private static final List<String> RELATIONS = List.of(
            "text.`${home}/secret.txt`", "TEXT.`${home}/secret.txt`", "csv.`${home}/secret.txt`",
            "json.`${home}/secret.txt`", "binaryFile.`${home}/secret.txt`",
            "parquet.`${root}/users`", "orc.`${home}`", "avro.`${home}`", "xml.`${home}`",
            "delta.`${root}/users`", "delta.`${home}`", "iceberg.`${home}`", "jdbc.`x`",
            "spark_catalog.default.t", "spark_catalog.delta.`${home}`", "local.db.t", "local.db.t.files",
            "default_iceberg.`${home}`", "global_temp.t", "default.t", "system.x.y", "a.b.c.d",
            "`org.apache.spark.sql.execution.datasources.text`.`${home}/secret.txt`",
            "IDENTIFIER(concat('text.`', '${home}', '/secret.txt`'))",
            "read_files('${home}/secret.txt')", "table_changes('t', 1)",
            "table_changes_by_path('${root}/users', 0)", "sql_keywords()", "python_udtf(1)",
            "parquet_data WITH ('path' = '${home}')",
            "parquet_data VERSION AS OF 1",
            "(SELECT TRANSFORM (id) USING 'cat' AS (a) FROM parquet_data)",
            "(SELECT /*+ BROADCAST(parquet_data) */ * FROM parquet_data)",
            "(SELECT /*+ REPARTITION(10000) */ * FROM parquet_data)",
            "STREAM parquet_data");

    /** Expressions; each is put into several places of a query. */
    private static final List<String> EXPRESSIONS = List.of(
            "reflect('java.lang.System', 'getenv', 'PATH')",
            "REFLECT('java.lang.Runtime', 'getRuntime')",
            "java_method('java.lang.System', 'getProperty', 'user.home')",
            "try_reflect('java.lang.System', 'exit', 1)",
            "`reflect`('java.lang.System', 'getenv', 'PATH')",
            "system.builtin.reflect('java.lang.System', 'getenv', 'PATH')",
            "builtin.reflect('java.lang.System', 'getenv', 'PATH')",
            "IDENTIFIER('ref' || 'lect')('java.lang.System', 'getenv', 'PATH')",
            "from_avro(x'00', '{\"type\":\"int\"}')",
            "from_protobuf(x'00', 'M', '${home}/secret.txt')",
            "to_protobuf(named_struct('a', 1), 'M', '${home}/secret.txt')",
            "from_xml('<a/>', 'a INT', map('rowValidationXSDPath', '${home}/secret.txt'))",
            "schema_of_xml('<a/>')",
            "input_file_name()",
            "current_user()", "current_catalog()", "current_database()",
            "local.system.iceberg_version()",
            "(SELECT first(value) FROM text.`${home}/secret.txt`)",
            "EXISTS (SELECT 1 FROM text.`${home}/secret.txt`)",
            "1 IN (SELECT value FROM text.`${home}/secret.txt`)");

    private static final List<String> RELATION_PLACES = List.of(
            "SELECT * FROM %s",
            "select /* x */ * from %s as t -- end",
            "TABLE %s",
            "FROM %s SELECT 1",
            "WITH a AS (SELECT * FROM %s) SELECT * FROM a",
            "WITH a AS (WITH b AS (SELECT * FROM %s) SELECT * FROM b) SELECT * FROM a",
            "WITH unused AS (SELECT * FROM %s) SELECT 1",
            "SELECT (SELECT count(*) FROM %s)",
            "SELECT 1 WHERE EXISTS (SELECT * FROM %s)",
            "SELECT 1 UNION ALL SELECT 1 FROM %s",
            "SELECT * FROM parquet_data p JOIN %s ON true",
            "SELECT * FROM parquet_data p, LATERAL (SELECT * FROM %s)");

    private static final List<String> EXPRESSION_PLACES = List.of(
            "SELECT %s",
            "SELECT 1 WHERE length(%s) > 0",
            "SELECT 1 GROUP BY %s",
            "SELECT 1 ORDER BY %s",
            "SELECT max(1) HAVING isnotnull(%s)",
            "SELECT sum(1) OVER (PARTITION BY %s)",
            "SELECT transform(array(1), x -> %s)",
            "SELECT CASE WHEN isnull(%s) THEN 1 END",
            "SELECT * FROM VALUES (%s)",
            "SELECT * FROM parquet_data p JOIN parquet_data q ON isnotnull(%s)",
            "WITH a AS (SELECT %s AS c) SELECT 1",
            "SELECT * FROM range(1) LATERAL VIEW explode(array(%s)) t AS e");

    private static scala.collection.immutable.Map<String, String> settings;

    @BeforeAll
    static void sample() throws Exception {
        TestEngine.start();
        settings = SparkSession.active().conf().getAll();
        Files.writeString(SECRET_FILE, SECRET);
        OutsideWriter.write("INSERT OVERWRITE DIRECTORY '${root}/users' USING parquet"
                + " SELECT id, concat('n', id) AS name FROM range(10)");
    }

    @AfterAll
    static void nothingHasChanged() {
        assertEquals(settings, SparkSession.active().conf().getAll());
        assertEquals(0, SparkSession.active().catalog().listTables().count());
    }

    @TestFactory
    List<DynamicTest> statementsAreRefused() {
        return STATEMENTS.stream().map(sql -> DynamicTest.dynamicTest(sql, () -> refused(sql)))
                .toList();
    }

    @TestFactory
    List<DynamicTest> relationsAreRefusedEverywhere() {
        return RELATIONS.stream().map(relation -> DynamicTest.dynamicTest(relation, () -> {
            for (String place : RELATION_PLACES) {
                refused(String.format(place, relation));
            }
        })).toList();
    }

    @TestFactory
    List<DynamicTest> expressionsAreRefusedEverywhere() {
        return EXPRESSIONS.stream().map(expression -> DynamicTest.dynamicTest(expression, () -> {
            for (String place : EXPRESSION_PLACES) {
                refused(String.format(place, expression));
            }
        })).toList();
    }

    /** Forbidden, or not SQL or a table of this Spark line; and no word of the file either way. */
    private static void refused(String sql) {
        String text = sql.replace("${home}", TestEngine.HOME.toString())
                .replace("${root}", TestEngine.ROOT.toString());
        TestEngine.Failed failure = TestEngine.failure(TestEngine.query("parquet", text)
                .put("path", TestEngine.ROOT.resolve("users").toString()));
        boolean syntax = failure.code().equals("sql_error")
                && failure.sqlState().startsWith("42") && isParseError(failure);
        assertTrue(failure.code().equals("forbidden") || syntax, sql + " -> " + failure.error);
        assertTrue(!failure.error.toString().contains(SECRET), sql);
    }

    private static boolean isParseError(TestEngine.Failed failure) {
        String errorClass = failure.error.path("error_class").asText();
        return errorClass.startsWith("PARSE_") || errorClass.startsWith("INVALID_SQL_SYNTAX")
                || errorClass.equals("INVALID_SET_SYNTAX")
                || errorClass.startsWith("_LEGACY_ERROR_TEMP_00")
                || errorClass.equals("TABLE_OR_VIEW_NOT_FOUND")
                || errorClass.startsWith("SQL_SCRIPT")
                || errorClass.startsWith("UNSUPPORTED_FEATURE")
                || errorClass.startsWith("INVALID_STATEMENT_OR_CLAUSE");
    }

    @Test
    void twoStatementsAreNotOne() {
        TestEngine.Failed failure = TestEngine.failure(
                TestEngine.query("parquet", "SELECT 1; DROP TABLE x"));
        assertTrue(List.of("sql_error", "forbidden").contains(failure.code()),
                failure.error.toString());
    }

    @Test
    void variablesOfTheProcessAreNotSubstituted() throws Exception {
        assertEquals(List.of(List.of("${env:PATH} ${system:user.home} ${spark.master}")),
                TestEngine.rows(TestEngine.query("parquet",
                        "SELECT '${env:PATH} ${system:user.home} ${spark.master}'")));
    }

    @TestFactory
    List<DynamicTest> queriesPass() {
        return List.of(
                "SELECT 1",
                "VALUES (1, 'a'), (2, 'b')",
                "SELECT * FROM parquet_data",
                "TABLE parquet_data",
                "FROM parquet_data SELECT id",
                "SELECT parquet_data.id FROM parquet_data",
                "SELECT count(*), sum(id), max(name) FROM parquet_data GROUP BY id % 2"
                        + " HAVING count(*) > 1 ORDER BY 1 LIMIT 1 OFFSET 0",
                "SELECT DISTINCT id % 3 FROM parquet_data",
                "SELECT a.id FROM parquet_data a JOIN parquet_data b USING (id)",
                "SELECT * FROM parquet_data NATURAL JOIN parquet_data",
                "SELECT * FROM parquet_data a LEFT SEMI JOIN parquet_data b ON a.id = b.id",
                "SELECT (SELECT max(id) FROM parquet_data) m, id IN (SELECT id FROM parquet_data)"
                        + " FROM parquet_data",
                "SELECT * FROM parquet_data a WHERE EXISTS"
                        + " (SELECT 1 FROM parquet_data b WHERE b.id = a.id + 1)",
                "SELECT * FROM parquet_data a, LATERAL (SELECT a.id + 1 AS next)",
                "WITH a AS (SELECT * FROM parquet_data), b AS (SELECT * FROM a) SELECT * FROM b",
                "SELECT id, row_number() OVER w FROM parquet_data WINDOW w AS (ORDER BY id)",
                "SELECT id FROM parquet_data UNION SELECT 1 EXCEPT SELECT 2 INTERSECT SELECT 1",
                "SELECT * FROM parquet_data LATERAL VIEW explode(array(1, 2)) t AS e",
                "SELECT * FROM parquet_data, explode(array(1, 2))",
                "SELECT * FROM range(3)",
                "SELECT * FROM (VALUES (1, 2), (3, 4)) AS t (a, b)",
                "SELECT * FROM parquet_data TABLESAMPLE (50 PERCENT) REPEATABLE (1)",
                "SELECT * FROM (SELECT id, name FROM parquet_data)"
                        + " PIVOT (count(name) FOR id IN (1, 2))",
                "SELECT * FROM (SELECT 1 a, 2 b) UNPIVOT (v FOR k IN (a, b))",
                "SELECT id, count(*) FROM parquet_data GROUP BY GROUPING SETS ((id), ())",
                "SELECT transform(array(1, 2), x -> x + 1), filter(array(1), x -> x > 1)",
                "SELECT current_date(), now(), current_timestamp(), rand(1) < 2, uuid() IS NOT NULL",
                "SELECT from_json('{\"a\":1}', 'a INT'), to_json(named_struct('a', 1)),"
                        + " get_json_object('{}', '$.a'), regexp_replace('a', 'a', 'b')",
                "SELECT CAST('1' AS INT), TIMESTAMP '2024-01-01 00:00:00', INTERVAL 1 DAY, X'00'",
                "SELECT named_struct('a', 1).a, map('k', 1)['k'], array(1)[0]",
                "DESCRIBE parquet_data", "DESC TABLE parquet_data")
                .stream().map(sql -> DynamicTest.dynamicTest(sql, () -> TestEngine.rows(
                        "parquet", TestEngine.ROOT.resolve("users"), sql))).toList();
    }
}
