'use strict';

const { SparkDataService } = require('./sparkDataService');
const { bindInteger, usersSql } = require('./usersQuery');

/** Users of MySQL, read through spark-service. */
class SparkMySQLDataService extends SparkDataService {
  selectUsers(query, options) {
    return this.client.executeMySQLQuery(usersSql('users', query, bindInteger), undefined, options);
  }
}

module.exports = { SparkMySQLDataService };
