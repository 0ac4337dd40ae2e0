-- Sample data: the same people as two Iceberg tables, one named by path (${iceberg}/users), one by
-- the catalog (local.sample.users); the warehouse of catalog `local` is ${iceberg}.
DROP TABLE IF EXISTS local.users PURGE;

CREATE TABLE local.users USING iceberg AS
SELECT * FROM parquet.`${parquet}/users` WHERE id <= 10;

INSERT INTO local.users
SELECT * FROM parquet.`${parquet}/users` WHERE id > 10;

CREATE NAMESPACE IF NOT EXISTS local.sample;

DROP TABLE IF EXISTS local.sample.users PURGE;

CREATE TABLE local.sample.users USING iceberg AS
SELECT * FROM parquet.`${parquet}/users`;
