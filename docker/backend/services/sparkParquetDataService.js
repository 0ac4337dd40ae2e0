'use strict';

const { SparkDataService } = require('./sparkDataService');
const { namedBinder, usersSql } = require('./usersQuery');

/** Users of Parquet files below `base`, read through spark-service. */
class SparkParquetDataService extends SparkDataService {
  /**
   * @param {object} options
   * @param {import('../clients/sparkServiceClient').SparkServiceClient} options.client
   * @param {string} [options.base] folder inside the service's container
   */
  constructor({ client, base = '/data/parquet' }) {
    super({ client });
    this.path = `${base}/users`;
  }

  selectUsers(query, options) {
    const { bind, params } = namedBinder();
    const sql = usersSql('parquet_data', query, bind);
    return this.client.executeParquetQuery(this.path, sql, { ...options, params });
  }
}

module.exports = { SparkParquetDataService };
