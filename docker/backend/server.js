'use strict';

const path = require('node:path');
const { setTimeout: delay } = require('node:timers/promises');

const { SparkServiceClient } = require('./clients/sparkServiceClient');
const { createServer } = require('./http/server');
const { Log } = require('./log');
const { DirectMySQLDataService } = require('./services/directMySQLDataService');
const { Health } = require('./services/health');
const { MySqlPool } = require('./services/mysqlPool');
const { SparkDeltaDataService } = require('./services/sparkDeltaDataService');
const { SparkIcebergDataService } = require('./services/sparkIcebergDataService');
const { SparkMySQLDataService } = require('./services/sparkMySQLDataService');
const { SparkParquetDataService } = require('./services/sparkParquetDataService');
const { Users } = require('./services/users');
const { readSettings, SettingError } = require('./settings');

const EXIT_BAD_SETTING = 2;
const CLOSE_MS = 1_000; // a MySQL that hangs must not hold the exit

function main() {
  const settings = readSettings(process.env);
  const log = new Log(settings.logLevel);
  const client = settings.spark && new SparkServiceClient(settings.spark);
  const spark = client && sparkServices(client, settings.bases);
  const direct = new DirectMySQLDataService({ pool: new MySqlPool(settings.mysql) });
  const users = new Users({
    spark,
    direct,
    mode: settings.mode,
    fallback: settings.directFallback,
  });
  const health = new Health({
    spark: spark?.mysql ?? null,
    direct,
    users,
    timeoutMs: settings.healthTimeoutMs,
  });
  const server = createServer({ users, health, log, publicFolder: path.join(__dirname, 'public') });

  server.on('error', (error) => {
    log.error('cannot listen', { code: error.code, host: settings.host, port: settings.port });
    process.exit(1);
  });
  server.listen(settings.port, settings.host, () => {
    log.info('listening', { host: settings.host, port: server.address().port, mode: users.mode });
    health.check().then((facts) =>
      log.info('health', {
        status: facts.status,
        spark_service: facts.spark_service.status,
        mysql: facts.mysql.status,
      }),
    );
  });
  stopOnSignal(server, { log, drainMs: settings.drainMs, close: () => closeAll(client, direct) });
}

function sparkServices(client, bases) {
  return {
    mysql: new SparkMySQLDataService({ client }),
    parquet: new SparkParquetDataService({ client, base: bases.parquet }),
    delta: new SparkDeltaDataService({ client, base: bases.delta }),
    iceberg: new SparkIcebergDataService({ client, base: bases.iceberg }),
  };
}

async function closeAll(client, direct) {
  client?.close();
  await direct.close();
}

/** First SIGTERM or SIGINT: no new requests, those under way may end within drainMs. Second: now. */
function stopOnSignal(server, { log, drainMs, close }) {
  let stopping = false;
  const stop = (signal) => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info('stopping', { signal });
    const cut = setTimeout(() => server.closeAllConnections(), drainMs);
    server.close(async () => {
      clearTimeout(cut);
      await Promise.race([close(), delay(CLOSE_MS)]);
      log.info('stopped');
      process.exit(0);
    });
    server.closeIdleConnections();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

try {
  main();
} catch (error) {
  if (!(error instanceof SettingError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(EXIT_BAD_SETTING);
}
