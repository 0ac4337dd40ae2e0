'use strict';

const { MODES } = require('./modes');

/**
 * Health of the backend and of what it needs. Both checks have the same limit and run side by side,
 * and callers share a check under way: a service that hangs costs one connection, not one per
 * probe.
 */
class Health {
  #spark;
  #direct;
  #users;
  #timeoutMs;
  #underWay = null;
  #startedAt = performance.now();

  /**
   * @param {object} options
   * @param {import('./sparkDataService').SparkDataService | null} options.spark
   * @param {import('./directMySQLDataService').DirectMySQLDataService} options.direct
   * @param {import('./users').Users} options.users
   * @param {number} options.timeoutMs
   */
  constructor({ spark, direct, users, timeoutMs }) {
    this.#spark = spark;
    this.#direct = direct;
    this.#users = users;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * @returns {Promise<{status: 'healthy'|'degraded'|'unhealthy'}>} `degraded`: some of the users
   *   can be read or written, `unhealthy`: none
   */
  check() {
    this.#underWay ??= this.#ask().finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  async #ask() {
    const [spark, mysql] = await Promise.all([this.#askSpark(), this.#askMySql()]);
    return {
      status: overall(this.#users.mode, spark.status === 'healthy', mysql.status === 'healthy'),
      mode: this.#users.mode,
      uptime_ms: Math.round(performance.now() - this.#startedAt),
      spark_service: spark,
      mysql,
    };
  }

  async #askSpark() {
    if (!this.#spark) return { status: 'not_configured' };
    return timed(async () => {
      const { status, spark_version } = await this.#spark.initialize({
        timeoutMs: this.#timeoutMs,
      });
      return { status, spark_version };
    });
  }

  #askMySql() {
    return timed(async () => {
      await this.#direct.ping(this.#timeoutMs);
      return { status: 'healthy' };
    });
  }
}

async function timed(ask) {
  const begin = performance.now();
  const facts = await ask().catch(({ code, detail }) => ({ status: 'unreachable', code, detail }));
  return { ...facts, latency_ms: Math.round(performance.now() - begin) };
}

function overall(mode, sparkIsHealthy, mysqlIsHealthy) {
  if (mode === MODES.DIRECT) return mysqlIsHealthy ? 'healthy' : 'unhealthy';
  if (sparkIsHealthy && mysqlIsHealthy) return 'healthy';
  return sparkIsHealthy || mysqlIsHealthy ? 'degraded' : 'unhealthy';
}

module.exports = { Health };
