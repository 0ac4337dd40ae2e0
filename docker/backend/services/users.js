'use strict';

const { MODES } = require('./modes');
const { Problem, badInput } = require('./problem');

const SOURCES = Object.freeze(['mysql', 'parquet', 'delta', 'iceberg']);

/**
 * Which service answers: by the mode, one for the whole backend, switched at run time. Writes are
 * Direct Access in both modes.
 */
class Users {
  #spark;
  #direct;
  #mode;
  #fallback;

  /**
   * @param {object} options
   * @param {Record<string, import('./sparkDataService').SparkDataService> | null} options.spark by
   *   source; null when there is no spark-service
   * @param {import('./directMySQLDataService').DirectMySQLDataService} options.direct
   * @param {string} options.mode one of MODES
   * @param {boolean} options.fallback may MySQL be read directly when spark-service isn't there?
   */
  constructor({ spark, direct, mode, fallback }) {
    this.#spark = spark;
    this.#direct = direct;
    this.#mode = mode;
    this.#fallback = fallback;
  }

  get mode() {
    return this.#mode;
  }

  /**
   * @param {string} mode one of MODES
   * @throws {Problem} 409 when there is no spark-service
   */
  set mode(mode) {
    if (mode === MODES.SPARK && !this.#spark) {
      throw new Problem(409, 'mode_unavailable', 'this backend runs without spark-service');
    }
    this.#mode = mode;
  }

  /** @returns {{mode: string, modes: string[], sources: string[]}} what can be chosen now */
  describe() {
    return {
      mode: this.#mode,
      modes: this.#spark ? [MODES.SPARK, MODES.DIRECT] : [MODES.DIRECT],
      sources: this.#mode === MODES.SPARK ? SOURCES : ['mysql'],
    };
  }

  /**
   * @param {string} source one of SOURCES
   * @param {import('./usersQuery').UsersQuery} query
   * @param {{signal?: AbortSignal}} options
   * @returns {Promise<{mode: string, rows: object[], hasMore: boolean, timing: object, notice?:
   *   object}>}
   * @throws {Problem | import('../clients/sparkServiceError').SparkServiceError}
   */
  async listUsers(source, query, options) {
    if (!SOURCES.includes(source)) throw badInput('source', `must be one of ${SOURCES.join(', ')}`);
    if (this.#mode === MODES.DIRECT) return this.#listDirectly(source, query);
    try {
      return { mode: MODES.SPARK, ...(await this.#spark[source].listUsers(query, options)) };
    } catch (error) {
      if (source !== 'mysql' || !this.#fallback || !error.notRun) throw error;
      const notice = { code: error.code, detail: `${error.detail}; read from MySQL directly` };
      return { ...(await this.#listDirectly(source, query)), notice };
    }
  }

  async #listDirectly(source, query) {
    if (source !== 'mysql') {
      throw new Problem(
        409,
        'mode_unavailable',
        `${MODES.DIRECT} reads MySQL only; ${source} needs ${MODES.SPARK}`,
      );
    }
    return { mode: MODES.DIRECT, ...(await this.#direct.listUsers(query)) };
  }

  getUser(id) {
    return this.#direct.getUser(id);
  }

  createUser(user) {
    return this.#direct.createUser(user);
  }

  updateUser(id, user) {
    return this.#direct.updateUser(id, user);
  }

  deleteUser(id) {
    return this.#direct.deleteUser(id);
  }
}

module.exports = { SOURCES, Users };
