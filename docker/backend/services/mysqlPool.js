'use strict';

const mysql = require('mysql2/promise');

const { Problem } = require('./problem');

const POOL_SIZE = 10;
const QUEUE_LENGTH = 100;

/** A pool of MySQL connections whose every call ends within its time, even when MySQL hangs. */
class MySqlPool {
  #pool;
  #timeoutMs;

  /**
   * @param {object} options
   * @param {string} options.host
   * @param {number} options.port
   * @param {string} options.user
   * @param {string} [options.password]
   * @param {string} options.database
   * @param {number} options.timeoutMs of one call, waiting for a connection included
   */
  constructor({ timeoutMs, ...address }) {
    this.#timeoutMs = timeoutMs;
    this.#pool = mysql.createPool({
      ...address,
      charset: 'utf8mb4',
      connectionLimit: POOL_SIZE,
      queueLimit: QUEUE_LENGTH,
      connectTimeout: timeoutMs,
      dateStrings: true,
      supportBigNumbers: true,
    });
    // Queued before the first statement of that connection: times are UTC whatever the server's
    // zone.
    this.#pool.on('connection', (connection) => {
      connection.query("SET time_zone = '+00:00'", (error) => error && connection.destroy());
    });
  }

  /**
   * Runs one prepared statement.
   * @param {string} sql with `?` for each value
   * @param {(string | null)[]} values
   * @param {number} [timeoutMs]
   * @returns {Promise<any>} rows, or the header of a write
   * @throws {Problem} 502 source_error, 504 timeout, 409 conflict, 500 engine_error; the driver's
   *   own error is its cause
   */
  execute(sql, values = [], timeoutMs = this.#timeoutMs) {
    return new Promise((resolve, reject) => {
      // Of our own: the driver's does not cover the wait for a connection, nor the preparing.
      const call = { connection: null, late: false };
      const timer = setTimeout(() => {
        call.late = true;
        call.connection?.destroy();
        reject(new Problem(504, 'timeout', 'MySQL gave no answer in time'));
      }, timeoutMs);
      this.#run(sql, values, call)
        .then(resolve, reject)
        .finally(() => clearTimeout(timer));
    });
  }

  async #run(sql, values, call) {
    try {
      call.connection = await this.#pool.getConnection();
    } catch (error) {
      throw connectProblem(error);
    }
    const { connection } = call;
    if (call.late) return connection.release();
    try {
      const [result] = await connection.execute(sql, values);
      connection.release();
      return result;
    } catch (error) {
      // After anything but a refused statement its state is unknown: never back to the pool.
      if (isStatementError(error)) connection.release();
      else connection.destroy();
      throw isStatementError(error) ? statementProblem(error) : connectProblem(error);
    }
  }

  /** Closes all connections; statements under way may end first. */
  close() {
    return this.#pool.end();
  }
}

/** Did the server refuse the statement, with the connection as good as before? */
function isStatementError(error) {
  return typeof error.errno === 'number' && error.sqlState !== undefined && !error.fatal;
}

function statementProblem(error) {
  const detail = `MySQL: ${error.sqlMessage}`;
  const more = { sqlstate: error.sqlState };
  return error.code === 'ER_DUP_ENTRY' || error.code === 'ER_LOCK_DEADLOCK'
    ? new Problem(409, 'conflict', detail, more, error)
    : new Problem(500, 'engine_error', detail, more, error);
}

/** Says nothing of the server's own text: at connect time it names accounts. */
function connectProblem(error) {
  return new Problem(
    502,
    'source_error',
    `MySQL can't be reached (${error.code ?? error.message})`,
    {},
    error,
  );
}

module.exports = { MySqlPool };
