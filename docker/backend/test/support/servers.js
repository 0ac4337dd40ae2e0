'use strict';

// The real servers of the tests: given by the environment, or started here and stopped at the end.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const mysql = require('mysql2/promise');

const { Child } = require('./child');
const { waitUntil } = require('./wait');

const ROOT = path.resolve(__dirname, '../../../..');
const BUILD = path.resolve(process.env.BUILD_DIR ?? path.join(ROOT, 'build'));
const SPARK = process.env.SPARK ?? '4.1.0';
const PASSWORD = 'p%20&"\'w';

/** A port nobody listens on now. */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net
      .createServer()
      .once('error', reject)
      .listen(0, '127.0.0.1', () => {
        const { port } = probe.address();
        probe.close(() => resolve(port));
      });
  });
}

/** A MariaDB of our own with the users of sql/, its zone +02:00 so that forgetting UTC shows. */
async function startMariaDb(folder) {
  const port = await freePort();
  const data = path.join(folder, 'data');
  const user = process.getuid() === 0 ? ['--user=root'] : [];
  const options = ['--no-defaults', ...user, `--datadir=${data}`];
  execFileSync(
    'mariadb-install-db',
    [...options, '--skip-test-db', '--auth-root-authentication-method=normal'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const server = new Child(
    'mariadbd',
    [
      ...options,
      '--bind-address=127.0.0.1',
      `--port=${port}`,
      `--socket=${path.join(folder, 's')}`,
      `--pid-file=${path.join(folder, 'pid')}`,
      '--default-time-zone=+02:00',
      '--innodb-buffer-pool-size=64M',
      // A disk that others keep busy must not make a write late.
      '--innodb-flush-log-at-trx-commit=0',
    ],
    { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } },
  );
  const root = () =>
    mysql.createConnection({
      socketPath: path.join(folder, 's'),
      user: 'root',
      multipleStatements: true,
    });
  await waitUntil(
    () =>
      server.mustRun() &&
      root().then(
        (one) => one.end().then(() => true),
        () => false,
      ),
    30_000,
    () => `MariaDB answers:\n${server.output.slice(-2000)}`,
  );
  const connection = await root();
  await connection.query(fs.readFileSync(path.join(ROOT, 'sql/01-mysql-users.sql'), 'utf8'));
  await connection.query("CREATE USER demo@'%' IDENTIFIED BY ?; GRANT ALL ON demo.* TO demo@'%'", [
    PASSWORD,
  ]);
  await connection.end();
  const env = {
    MYSQL_HOST: '127.0.0.1',
    MYSQL_PORT: String(port),
    MYSQL_USER: 'demo',
    MYSQL_PASSWORD: PASSWORD,
    MYSQL_DATABASE: 'demo',
  };
  return { server, env };
}

/** A tokens file for the service and a file with the token, as compose has them. */
function makeToken(program, folder) {
  const tokens = path.join(folder, 'tokens');
  const token = path.join(folder, 'token');
  const text = execFileSync(program, [
    'token',
    'add',
    'backend',
    '--tokens-file',
    tokens,
    '--scope',
    'query,cancel',
    '--source',
    'main,parquet,delta,iceberg',
  ]);
  fs.writeFileSync(token, text, { mode: 0o600 });
  return { tokens, token };
}

/** The real service over build/sample and that MySQL; it asks for a token. */
async function startSparkService(folder, mysqlEnv) {
  const address = `127.0.0.1:${await freePort()}`;
  const program = process.env.SPARK_SERVICE_BIN ?? path.join(BUILD, 'bin/spark-service');
  const sample = path.join(BUILD, 'sample');
  for (const needed of [program, sample]) {
    if (!fs.existsSync(needed)) throw new Error(`${needed} is missing: run make build sample`);
  }
  const { tokens, token } = makeToken(program, folder);
  const server = new Child(program, [], {
    cwd: folder,
    env: {
      ...process.env,
      ...mysqlEnv,
      SPARK_SERVICE_LISTEN: address,
      SPARK_SERVICE_TOKENS_FILE: tokens,
      SPARK_SERVICE_SPARK_LINE: SPARK,
      SPARK_SERVICE_DATA_ROOTS: sample,
      SPARK_SERVICE_ICEBERG_WAREHOUSE: path.join(sample, 'iceberg'),
      SPARK_SERVICE_STATE_DIR: path.join(folder, 'state'),
    },
  });
  const url = `http://${address}`;
  const isReady = () =>
    fetch(`${url}/readyz`).then(
      ({ status }) => status === 200,
      () => false,
    );
  await waitUntil(
    () => server.mustRun() && isReady(),
    180_000,
    () => `spark-service is ready:\n${server.output.slice(-2000)}`,
  );
  const env = {
    SPARK_SERVICE_URL: url,
    SPARK_SERVICE_TOKEN_FILE: token,
    PARQUET_BASE: path.join(sample, 'parquet'),
    DELTA_BASE: path.join(sample, 'delta'),
    ICEBERG_BASE: path.join(sample, 'iceberg'),
  };
  return { server, env };
}

/**
 * @returns {Promise<{env: object, stop: () => Promise<void>}>} the settings a backend needs
 */
async function startServers() {
  const given = ['SPARK_SERVICE_URL', 'MYSQL_HOST'].filter((name) => process.env[name]);
  if (given.length === 1)
    throw new Error(`${given[0]} is set: SPARK_SERVICE_URL and MYSQL_HOST go together`);
  if (given.length === 2) return { env: {}, stop: async () => {} };

  // A short path: the name of a socket has at most 107 bytes.
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'backend-test-'));
  const started = [];
  const stop = async () => {
    for (const server of started.reverse()) await server.stop(60_000);
    fs.rmSync(folder, { recursive: true, force: true });
  };
  try {
    const database = await startMariaDb(folder);
    started.push(database.server);
    const service = await startSparkService(folder, database.env);
    started.push(service.server);
    return { env: { ...database.env, ...service.env }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

module.exports = { BUILD, SPARK, freePort, startServers };
