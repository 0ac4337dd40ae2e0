-- Sample data for MySQL: the same twelve people as in the Parquet, Delta and
-- Iceberg samples. May be run again. Statements end with `;` at the end of a line.
CREATE DATABASE IF NOT EXISTS demo CHARACTER SET utf8mb4;
USE demo;
SET time_zone = '+00:00';

CREATE TABLE IF NOT EXISTS users (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(100) NOT NULL,
  age INT NULL,
  city VARCHAR(100) NULL,
  created_at TIMESTAMP(6) NULL,
  balance DECIMAL(12,2) NULL
) CHARACTER SET utf8mb4;

REPLACE INTO users (id, name, age, city, created_at, balance) VALUES
  (1, 'Ada Lovelace', 36, 'London', '2024-01-05 09:00:00', 1250.00),
  (2, 'Alan Turing', 41, 'Manchester', '2024-01-17 10:30:00', 980.50),
  (3, 'Grace Hopper', 85, 'New York', '2024-02-02 08:15:00', 15320.75),
  (4, 'Edsger Dijkstra', 72, 'Rotterdam', '2024-02-20 14:45:30', 4410.10),
  (5, 'Katherine Johnson', 101, 'Hampton', '2024-03-08 07:05:00', 22000.00),
  (6, 'Donald Knuth', 86, 'Milwaukee', '2024-03-14 15:09:26', 2560.00),
  (7, 'Margaret Hamilton', 87, 'Paoli', '2024-04-01 12:00:00', 7680.25),
  (8, 'Dennis Ritchie', 70, 'New York', '2024-04-23 18:20:00', 1969.70),
  (9, 'Barbara Liskov', 84, 'Los Angeles', '2024-05-11 11:11:11.111111', 3141.59),
  (10, 'Linus Torvalds', 54, 'Helsinki', '2024-06-30 23:59:59.999999', 0.01),
  (11, 'Radia Perlman', 72, 'Portsmouth', '2024-07-07 07:07:07', NULL),
  (12, 'José Valim', 38, NULL, '2024-08-19 16:40:00', -12.34);
