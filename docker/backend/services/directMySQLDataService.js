'use strict';

const { Problem } = require('./problem');
const { USER_COLUMNS, cutPage, usersSql } = require('./usersQuery');

const INSERT = `INSERT INTO users (id, name, age, city, balance, created_at)
  SELECT LAST_INSERT_ID(COALESCE(MAX(id), 0) + 1), ?, ?, ?, ?, NOW(6) FROM users`;
const UPDATE = 'UPDATE users SET name = ?, age = ?, city = ?, balance = ? WHERE id = ?';
const SELECT_ONE = `SELECT ${USER_COLUMNS.join(', ')} FROM users WHERE id = ?`;
const INSERT_ATTEMPTS = 5;

/** Users in MySQL without any Spark: Direct Access, and all writes. */
class DirectMySQLDataService {
  #pool;

  /** @param {{pool: import('./mysqlPool').MySqlPool}} options */
  constructor({ pool }) {
    this.#pool = pool;
  }

  /**
   * @param {number} [timeoutMs]
   * @throws {Problem} when MySQL doesn't answer
   */
  async ping(timeoutMs) {
    await this.#pool.execute('SELECT 1', [], timeoutMs);
  }

  /**
   * One page of users, rows as spark-service writes them.
   * @param {import('./usersQuery').UsersQuery} query
   */
  async listUsers(query) {
    const values = [];
    const sql = usersSql('users', query, (name, value) => {
      // As text: MySQL 8 refuses the DOUBLE that the driver makes of a number in LIMIT.
      values.push(String(value));
      return '?';
    });
    const begin = performance.now();
    const rows = await this.#pool.execute(sql, values);
    const timing = { mysql_ms: performance.now() - begin };
    return { ...cutPage(rows.map(toContract), query.limit), engine: 'mysql', timing };
  }

  /**
   * @param {string} id decimal digits
   * @returns {Promise<object>} the row
   * @throws {Problem} 404
   */
  async getUser(id) {
    const [row] = await this.#pool.execute(SELECT_ONE, [id]);
    if (!row) throw noSuchUser(id);
    return toContract(row);
  }

  /**
   * Adds a user under the next free id.
   * @param {import('./userInput').UserInput} user
   * @returns {Promise<object>} the row as stored
   */
  async createUser({ name, age, city, balance }) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const header = await this.#pool.execute(INSERT, [name, age, city, balance]);
        return await this.getUser(String(header.insertId));
      } catch (error) {
        // Two at once took the same id, or waited for each other: nothing was written.
        if (error.code !== 'conflict' || attempt === INSERT_ATTEMPTS) throw error;
      }
    }
  }

  /**
   * @param {string} id decimal digits
   * @param {import('./userInput').UserInput} user
   * @returns {Promise<object>} the row as stored
   * @throws {Problem} 404
   */
  async updateUser(id, { name, age, city, balance }) {
    await this.#pool.execute(UPDATE, [name, age, city, balance, id]);
    return this.getUser(id);
  }

  /**
   * @param {string} id decimal digits
   * @throws {Problem} 404
   */
  async deleteUser(id) {
    const header = await this.#pool.execute('DELETE FROM users WHERE id = ?', [id]);
    if (header.affectedRows === 0) throw noSuchUser(id);
  }

  close() {
    return this.#pool.close();
  }
}

function noSuchUser(id) {
  return new Problem(404, 'not_found', `there is no user ${id}`);
}

function toContract(row) {
  return { ...row, created_at: toTimestamp(row.created_at) };
}

/** MySQL's UTC text `2024-01-31 09:57:06.12` → `2024-01-31T09:57:06.120000Z`; zero dates are null. */
function toTimestamp(text) {
  if (text === null || text.startsWith('0000')) return null;
  const [whole, fraction = ''] = text.split('.');
  return `${whole.replace(' ', 'T')}.${fraction.padEnd(6, '0')}Z`;
}

module.exports = { DirectMySQLDataService, toTimestamp };
