'use strict';

const { SparkDataService } = require('./sparkDataService');
const { namedBinder, usersSql } = require('./usersQuery');

/** Users of an Iceberg table below `base`, read through spark-service. */
class SparkIcebergDataService extends SparkDataService {
  /**
   * @param {object} options
   * @param {import('../clients/sparkServiceClient').SparkServiceClient} options.client
   * @param {string} [options.base] folder inside the service's container
   */
  constructor({ client, base = '/data/iceberg' }) {
    super({ client });
    this.path = `${base}/users`;
  }

  selectUsers(query, options) {
    const { bind, params } = namedBinder();
    const sql = usersSql('iceberg_data', query, bind);
    return this.client.executeIcebergQuery(this.path, sql, { ...options, params });
  }
}

module.exports = { SparkIcebergDataService };
