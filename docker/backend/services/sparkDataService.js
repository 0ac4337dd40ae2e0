'use strict';

const { cutPage } = require('./usersQuery');

/**
 * What the four Spark data services have in common. None makes a view or keeps a session: all that
 * is the service's.
 */
class SparkDataService {
  /** @param {{client: import('../clients/sparkServiceClient').SparkServiceClient}} options */
  constructor({ client }) {
    this.client = client;
  }

  /**
   * A health check, nothing else.
   * @returns {Promise<{status: string, spark_version: string}>}
   */
  initialize(options) {
    return this.client.checkHealth(options);
  }

  /**
   * One page of users.
   * @param {import('./usersQuery').UsersQuery} query
   * @param {{signal?: AbortSignal}} [options]
   * @throws {import('../clients/sparkServiceError').SparkServiceError}
   */
  async listUsers(query, options = {}) {
    const result = await this.selectUsers(query, { ...options, tags: ['users-page'] });
    const { queryId, engine, serverTiming, elapsedMs } = result;
    return {
      ...cutPage(result.rows, query.limit),
      queryId,
      engine,
      timing: { service_ms: elapsedMs, ...millisecondsByName(serverTiming) },
    };
  }
}

/** `{queue: 1}` → `{queue_ms: 1}` */
function millisecondsByName(timing) {
  return Object.fromEntries(Object.entries(timing).map(([name, ms]) => [`${name}_ms`, ms]));
}

module.exports = { SparkDataService };
