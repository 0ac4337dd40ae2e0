-- Sample data: ${delta}/users, the same people as a Delta table with two versions.
CREATE OR REPLACE TABLE delta.`${delta}/users` USING delta AS
SELECT * FROM parquet.`${parquet}/users` WHERE id <= 10;

INSERT INTO delta.`${delta}/users`
SELECT * FROM parquet.`${parquet}/users` WHERE id > 10;
