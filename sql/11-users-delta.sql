-- Sample data: ${delta}/users, the same people as a Delta table: ten of them, then all.
CREATE TABLE IF NOT EXISTS delta.`${delta}/users` (
    id BIGINT, name STRING, age INT, city STRING, created_at TIMESTAMP, balance DECIMAL(12, 2)
) USING delta;

INSERT OVERWRITE delta.`${delta}/users`
SELECT * FROM parquet.`${parquet}/users` WHERE id <= 10;

INSERT INTO delta.`${delta}/users`
SELECT * FROM parquet.`${parquet}/users` WHERE id > 10;
