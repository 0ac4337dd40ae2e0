-- Every type of the contract's table that Parquet stores, with its edge values.
-- Run through the outside writer; ${DATA} is the data root. `-- only: 4.1` before a
-- statement: other Spark lines skip it.

SET spark.sql.parquet.datetimeRebaseModeInWrite = CORRECTED;
SET spark.sql.parquet.int96RebaseModeInWrite = CORRECTED;

-- only: 4.1
SET spark.sql.timeType.enabled = true;

INSERT OVERWRITE DIRECTORY '${DATA}/parquet/types/integers' USING parquet
SELECT /*+ COALESCE(1) */ * FROM VALUES
  (1, 127Y, 32767S, 2147483647, 9223372036854775807L),
  (2, -128Y, -32768S, -2147483648, -9223372036854775808L),
  (3, 0Y, 0S, 0, 9007199254740993L),
  (4, NULL, NULL, NULL, NULL)
  AS t(id, t, s, i, b);

INSERT OVERWRITE DIRECTORY '${DATA}/parquet/types/floats' USING parquet
SELECT /*+ COALESCE(1) */ * FROM VALUES
  (1, CAST('NaN' AS FLOAT), CAST('NaN' AS DOUBLE)),
  (2, CAST('Infinity' AS FLOAT), CAST('Infinity' AS DOUBLE)),
  (3, CAST('-Infinity' AS FLOAT), CAST('-Infinity' AS DOUBLE)),
  (4, CAST('-0.0' AS FLOAT), CAST('-0.0' AS DOUBLE)),
  (5, CAST('3.4028235E38' AS FLOAT), CAST('1.7976931348623157E308' AS DOUBLE)),
  (6, CAST('1.4E-45' AS FLOAT), CAST('4.9E-324' AS DOUBLE)),
  (7, CAST('0.1' AS FLOAT), CAST('0.1' AS DOUBLE)),
  (8, CAST('16777216' AS FLOAT), CAST('1E21' AS DOUBLE)),
  (9, CAST('1E-7' AS FLOAT), CAST('123456789012345680000' AS DOUBLE)),
  (10, CAST('0.000001' AS FLOAT), CAST('0.000001' AS DOUBLE)),
  (11, CAST('-1.5' AS FLOAT), CAST('100' AS DOUBLE)),
  (12, CAST('0' AS FLOAT), CAST('333333333.33333329' AS DOUBLE)),
  (13, NULL, NULL)
  AS t(id, f, d);

INSERT OVERWRITE DIRECTORY '${DATA}/parquet/types/decimals' USING parquet
SELECT /*+ COALESCE(1) */ * FROM VALUES
  (1, CAST('123.45' AS DECIMAL(5,2)), CAST('42' AS DECIMAL(18,0)), CAST('12345678901234567890.123456789012345678' AS DECIMAL(38,18)), CAST('99999999999999999999999999999999999999' AS DECIMAL(38,0))),
  (2, CAST('-0.50' AS DECIMAL(5,2)), CAST('-999999999999999999' AS DECIMAL(18,0)), CAST('-0.000000000000000001' AS DECIMAL(38,18)), CAST('-99999999999999999999999999999999999999' AS DECIMAL(38,0))),
  (3, CAST('0' AS DECIMAL(5,2)), CAST('0' AS DECIMAL(18,0)), CAST('0' AS DECIMAL(38,18)), CAST('0' AS DECIMAL(38,0))),
  (4, NULL, NULL, NULL, NULL)
  AS t(id, d5, d0, d38, w38);

INSERT OVERWRITE DIRECTORY '${DATA}/parquet/types/strings' USING parquet
SELECT /*+ COALESCE(1) */ * FROM VALUES
  (1, 'ab'),
  (2, 'grüße € 日本語'),
  (3, '😀'),
  (4, CAST(X'610062' AS STRING)),
  (5, ''),
  (6, CAST(X'22205C202F200A200D2009' AS STRING)),
  (7, CAST(X'61FF62' AS STRING)),
  (8, CAST(X'01201F207F' AS STRING)),
  (9, NULL)
  AS t(id, s);

INSERT OVERWRITE DIRECTORY '${DATA}/parquet/types/binaries' USING parquet
SELECT /*+ COALESCE(1) */ * FROM VALUES
  (1, X'00FF'),
  (2, X''),
  (3, X'F09F9880'),
  (4, NULL)
  AS t(id, b);

INSERT OVERWRITE DIRECTORY '${DATA}/parquet/types/booleans' USING parquet
SELECT /*+ COALESCE(1) */ * FROM VALUES
  (1, true),
  (2, false),
  (3, NULL)
  AS t(id, b);

INSERT OVERWRITE DIRECTORY '${DATA}/parquet/types/times' USING parquet
SELECT /*+ COALESCE(1) */ * FROM VALUES
  (1, DATE '2024-01-31', TIMESTAMP '2024-01-31 09:57:06.123456Z', TIMESTAMP_NTZ '2024-01-31 09:57:06.123456'),
  (2, DATE '1969-12-31', TIMESTAMP '1969-12-31 23:59:59.999999Z', TIMESTAMP_NTZ '1969-12-31 23:59:59.999999'),
  (3, DATE '0001-01-01', TIMESTAMP '0001-01-01 00:00:00Z', TIMESTAMP_NTZ '0001-01-01 00:00:00'),
  (4, DATE '9999-12-31', TIMESTAMP '9999-12-31 23:59:59.999999Z', TIMESTAMP_NTZ '9999-12-31 23:59:59.999999'),
  (5, DATE '1582-10-10', TIMESTAMP '1582-10-10 12:00:00.5Z', TIMESTAMP_NTZ '1582-10-10 12:00:00.5'),
  (6, DATE '1970-01-01', TIMESTAMP '1970-01-01 01:00:00+01:00', TIMESTAMP_NTZ '1970-01-01 00:00:00'),
  (7, NULL, NULL, NULL)
  AS t(id, d, ts, tn);

INSERT OVERWRITE DIRECTORY '${DATA}/parquet/types/nested' USING parquet
SELECT /*+ COALESCE(1) */ * FROM VALUES
  (1, array(1, NULL, 3), array(array('x', NULL), array()), named_struct('a', 1, 'b', named_struct('c', 'y')), map('k', 1, 'l', NULL), map(1, 'a', 2, NULL), array(named_struct('d', CAST('1.50' AS DECIMAL(5,2)), 't', TIMESTAMP '2024-01-31 09:57:06Z'), NULL)),
  (2, CAST(array() AS ARRAY<INT>), CAST(array() AS ARRAY<ARRAY<STRING>>), named_struct('a', CAST(NULL AS INT), 'b', CAST(NULL AS STRUCT<c: STRING>)), CAST(map() AS MAP<STRING, INT>), CAST(map() AS MAP<INT, STRING>), CAST(array() AS ARRAY<STRUCT<d: DECIMAL(5,2), t: TIMESTAMP>>)),
  (3, NULL, NULL, NULL, NULL, NULL, NULL)
  AS t(id, a, aa, s, m, im, st);

INSERT OVERWRITE DIRECTORY '${DATA}/parquet/types/intervals' USING parquet
SELECT /*+ COALESCE(1) */ * FROM VALUES
  (1, INTERVAL '1-2' YEAR TO MONTH, INTERVAL '1 02:03:04.5' DAY TO SECOND),
  (2, INTERVAL '-1-2' YEAR TO MONTH, INTERVAL '-1 02:03:04.5' DAY TO SECOND),
  (3, INTERVAL '0-0' YEAR TO MONTH, INTERVAL '0 00:00:00' DAY TO SECOND),
  (4, INTERVAL '3-0' YEAR TO MONTH, INTERVAL '3 00:00:00' DAY TO SECOND),
  (5, INTERVAL '0-5' YEAR TO MONTH, INTERVAL '0 00:00:00.000001' DAY TO SECOND),
  (6, NULL, NULL)
  AS t(id, ym, ds);

-- only: 4.1
INSERT OVERWRITE DIRECTORY '${DATA}/parquet/types/clock' USING parquet
SELECT /*+ COALESCE(1) */ * FROM VALUES
  (1, TIME '09:57:06.123456'),
  (2, TIME '00:00:00'),
  (3, TIME '23:59:59.999999'),
  (4, NULL)
  AS t(id, t);

-- only: 4.1
INSERT OVERWRITE DIRECTORY '${DATA}/parquet/types/documents' USING parquet
SELECT /*+ COALESCE(1) */ * FROM VALUES
  (1, parse_json('{"b":1,"a":[true,null,"é😀"]}')),
  (2, parse_json('"text"')),
  (3, parse_json('1.50')),
  (4, parse_json('null')),
  (5, NULL)
  AS t(id, v);

INSERT OVERWRITE DIRECTORY '${DATA}/parquet/types/people' USING parquet
SELECT /*+ COALESCE(1) */ * FROM VALUES
  (1, 'Ada', 36),
  (2, 'Bob', 7),
  (3, 'Cy', NULL),
  (4, 'Dee', 36)
  AS t(id, name, age);
