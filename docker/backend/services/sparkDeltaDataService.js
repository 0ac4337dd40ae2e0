'use strict';

const { SparkDataService } = require('./sparkDataService');
const { namedBinder, usersSql } = require('./usersQuery');

/** Users of a Delta table below `base`, read through spark-service. */
class SparkDeltaDataService extends SparkDataService {
  /**
   * @param {object} options
   * @param {import('../clients/sparkServiceClient').SparkServiceClient} options.client
   * @param {string} [options.base] folder inside the service's container
   */
  constructor({ client, base = '/data/delta' }) {
    super({ client });
    this.path = `${base}/users`;
  }

  selectUsers(query, options) {
    const { bind, params } = namedBinder();
    const sql = usersSql('delta_data', query, bind);
    return this.client.executeDeltaQuery(this.path, sql, { ...options, params });
  }
}

module.exports = { SparkDeltaDataService };
