-- The sample users, for the MySQL of compose and for tests. May be run again.
-- Every statement ends with a semicolon at the end of its line.
CREATE DATABASE IF NOT EXISTS demo CHARACTER SET utf8mb4;
USE demo;

CREATE TABLE IF NOT EXISTS users (
  id BIGINT NOT NULL PRIMARY KEY,
  name VARCHAR(100) NOT NULL,
  email VARCHAR(200) NOT NULL,
  age INT NULL,
  balance DECIMAL(12,2) NOT NULL DEFAULT 0,
  active BOOLEAN NOT NULL DEFAULT TRUE,
  created_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
) CHARACTER SET utf8mb4;

SET time_zone = '+00:00';
INSERT INTO users (id, name, email, age, balance, active, created_at) VALUES
  (1, 'Ada Lovelace', 'ada@example.com', 36, 1815.12, TRUE, '2024-01-01 08:00:00.000001'),
  (2, 'Grace Hopper', 'grace@example.com', 85, 1906.09, TRUE, '2024-01-02 09:30:00'),
  (3, 'Alan Turing', 'alan@example.com', 41, 1912.06, FALSE, '2024-01-03 10:45:15.5'),
  (4, 'Katherine Johnson', 'katherine@example.com', 101, 1918.08, TRUE, '2024-01-04 00:00:00'),
  (5, 'Edsger Dijkstra', 'edsger@example.com', 72, 1930.05, FALSE, '2024-01-05 23:59:59.999999'),
  (6, 'Barbara Liskov', 'barbara@example.com', NULL, 1939.11, TRUE, '2024-02-29 12:00:00'),
  (7, 'Märta Ångström', 'marta@example.com', 29, 0.00, TRUE, '2024-03-01 06:07:08'),
  (8, '山田 太郎', 'taro@example.com', 33, -12.50, TRUE, '2024-03-02 07:08:09'),
  (9, 'Zoë 😀', 'zoe@example.com', 7, 99999999.99, FALSE, '2024-03-03 08:09:10'),
  (10, 'Linus O''Hara', 'linus@example.com', 54, 42.00, TRUE, '2024-03-04 09:10:11')
ON DUPLICATE KEY UPDATE name = VALUES(name);
