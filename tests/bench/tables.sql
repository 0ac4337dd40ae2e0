-- The tables of `make bench`: rows are a formula, so every machine has the same. `small` has a
-- thousand rows, `big` a million in eight files; a row is about 146 bytes of JSON.
CREATE NAMESPACE IF NOT EXISTS local.bench;

INSERT OVERWRITE DIRECTORY '${parquet}/big' USING parquet
SELECT /*+ COALESCE(8) */
    1000000 + id AS id,
    concat('User number ', id) AS name,
    concat('user', id, '@example.org') AS email,
    concat('City ', id % 97) AS city,
    CAST(id * 7 % 90 AS INT) AS age,
    id / 4D AS score,
    id % 3 = 0 AS active,
    concat('member since ', 1970 + id % 50) AS note
FROM range(0, 1000000, 1, 8);

INSERT OVERWRITE DIRECTORY '${parquet}/small' USING parquet
SELECT /*+ COALESCE(1) */ * FROM parquet.`${parquet}/big` WHERE id < 1001000;

CREATE TABLE delta.`${delta}/small` USING delta AS
SELECT /*+ COALESCE(1) */ * FROM parquet.`${parquet}/small`;

CREATE TABLE local.bench.small USING iceberg AS
SELECT /*+ COALESCE(1) */ * FROM parquet.`${parquet}/small`;
