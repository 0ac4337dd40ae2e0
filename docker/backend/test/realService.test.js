'use strict';

// Client and data services against the real service, real files and a real MySQL.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { after, before, test } = require('node:test');

const { SparkServiceClient, SparkServiceError } = require('../clients/sparkServiceClient');
const { SparkDeltaDataService } = require('../services/sparkDeltaDataService');
const { SparkIcebergDataService } = require('../services/sparkIcebergDataService');
const { SparkMySQLDataService } = require('../services/sparkMySQLDataService');
const { SparkParquetDataService } = require('../services/sparkParquetDataService');
const { parseUsersQuery } = require('../services/usersQuery');
const { waitUntil } = require('./support/wait');

const { SPARK_SERVICE_URL, SPARK_SERVICE_TOKEN_FILE, PARQUET_BASE, DELTA_BASE, ICEBERG_BASE } = process.env;
const parquet = `${PARQUET_BASE}/users`;
const ADA = {
  id: 1,
  name: 'Ada Lovelace',
  age: 36,
  city: 'London',
  created_at: '2024-01-05T09:00:00.000000Z',
  balance: '1250.00',
};
// 12^9 rows: minutes of work.
const ENDLESS = `SELECT count(*) AS n FROM ${'abcdefghi'
  .split('')
  .map((name) => `parquet_data ${name}`)
  .join(', ')}
  WHERE a.id + b.id * c.id + d.id * e.id + f.id * g.id + h.id * i.id < 0`;

const token = SPARK_SERVICE_TOKEN_FILE && fs.readFileSync(SPARK_SERVICE_TOKEN_FILE, 'utf8').trim();

let client;
let services;

before(() => {
  client = new SparkServiceClient({
    baseUrl: SPARK_SERVICE_URL,
    token,
    timeoutMs: 120_000,
    deadlineMs: 122_000,
  });
  services = {
    mysql: new SparkMySQLDataService({ client }),
    parquet: new SparkParquetDataService({ client, base: PARQUET_BASE }),
    delta: new SparkDeltaDataService({ client, base: DELTA_BASE }),
    iceberg: new SparkIcebergDataService({ client, base: ICEBERG_BASE }),
  };
});
after(() => client.close());

const busySlots = async () => (await client.checkHealth()).slots.busy;

async function errorOf(promise) {
  const error = await promise.then(
    () => assert.fail('it resolved'),
    (reason) => reason,
  );
  assert.ok(error instanceof SparkServiceError, error.stack);
  return error;
}

test('without its token the service refuses, and is healthy all the same', async (t) => {
  if (!token) return t.skip('the service that was given asks for none');
  const stranger = new SparkServiceClient({ baseUrl: SPARK_SERVICE_URL });
  t.after(() => stranger.close());
  assert.equal((await stranger.checkHealth()).status, 'healthy');
  const error = await errorOf(stranger.executeParquetQuery(parquet, 'SELECT id FROM parquet_data'));
  assert.deepEqual([error.status, error.code], [401, 'unauthenticated']);
});

for (const source of ['mysql', 'parquet', 'delta', 'iceberg']) {
  test(`${source}: the service reads users, a page at a time, sorted and filtered`, async () => {
    assert.equal((await services[source].initialize()).status, 'healthy');
    const all = await services[source].listUsers(parseUsersQuery(new URLSearchParams()));
    assert.deepEqual(
      all.rows.map(({ id }) => id),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    );
    assert.deepEqual(all.rows[0], ADA);
    assert.deepEqual(Object.keys(all.rows[0]), Object.keys(ADA));
    assert.equal(all.rows[11].name, 'José Valim');
    assert.equal(all.rows[11].city, null);
    assert.equal(all.hasMore, false);
    assert.equal(all.engine, source === 'mysql' ? 'direct' : 'spark');
    assert.ok(all.timing.run_ms >= 0 && all.timing.service_ms > 0, JSON.stringify(all.timing));

    const page = await services[source].listUsers(
      parseUsersQuery(
        new URLSearchParams({
          sort: 'age',
          order: 'desc',
          limit: '3',
          offset: '1',
          age_min: '54',
          age_max: '87',
        }),
      ),
    );
    assert.deepEqual(
      page.rows.map(({ id, age }) => [id, age]),
      [
        [6, 86],
        [3, 85],
        [9, 84],
      ],
    );
    assert.equal(page.hasMore, true);
  });
}

test('values are bound: quotes in one stay text', async () => {
  const find = (name) =>
    client.executeParquetQuery(parquet, 'SELECT id FROM parquet_data WHERE name = :name', {
      params: { name },
    });
  assert.deepEqual((await find('Ada Lovelace')).rows, [{ id: 1 }]);
  assert.deepEqual((await find("x' OR '1'='1")).rows, []);
});

test('integers beyond 2^53 keep their digits', async () => {
  const { rows } = await client.executeMySQLQuery('SELECT 9007199254740993 AS big, 7 AS small');
  assert.deepEqual(rows, [{ big: '9007199254740993', small: 7 }]);
});

test('an answer of more than 1 MiB is whole, and its trailers are read', async () => {
  const sql = `SELECT a.id, a.name FROM ${'abcde'
    .split('')
    .map((name) => `parquet_data ${name}`)
    .join(', ')} LIMIT 50000`;
  const { rows, serverTiming, truncated } = await client.executeParquetQuery(parquet, sql);
  assert.equal(rows.length, 50_000);
  assert.equal(truncated, false);
  assert.ok(serverTiming.run > 0, JSON.stringify(serverTiming));
});

test('row_limit cuts, and the answer says so', async () => {
  const result = await client.executeParquetQuery(parquet, 'SELECT id FROM parquet_data', {
    rowLimit: 2,
  });
  assert.equal(result.rows.length, 2);
  assert.equal(result.truncated, true);
});

test('errors of the service come with status, code, SQLSTATE and query id', async () => {
  const unknown = await errorOf(
    client.executeParquetQuery(parquet, 'SELECT nope FROM parquet_data'),
  );
  assert.equal(unknown.code, 'sql_error');
  assert.equal(unknown.status, 422);
  assert.equal(unknown.sqlstate, '42703');
  assert.match(unknown.detail, /nope/);
  assert.match(unknown.queryId, /^[0-9a-f-]{36}$/);
  assert.equal(
    (
      await errorOf(
        client.executeParquetQuery(`${PARQUET_BASE}/none`, 'SELECT 1 FROM parquet_data'),
      )
    ).code,
    'not_found',
  );
  assert.equal(
    (await errorOf(client.executeParquetQuery('/etc', 'SELECT 1 FROM parquet_data'))).code,
    'forbidden',
  );
  assert.equal(
    (await errorOf(client.executeParquetQuery(parquet, 'DROP TABLE users'))).code,
    'forbidden',
  );
});

test('the service ends a query after timeoutMs', async () => {
  const error = await errorOf(client.executeParquetQuery(parquet, ENDLESS, { timeoutMs: 700 }));
  assert.equal(error.code, 'timeout');
  assert.equal(error.status, 504);
});

test('an abort cancels the query in the service', async () => {
  await waitUntil(async () => (await busySlots()) === 0, 10_000, 'no query runs');
  const controller = new AbortController();
  const query = errorOf(
    client.executeParquetQuery(parquet, ENDLESS, { signal: controller.signal }),
  );
  await waitUntil(async () => (await busySlots()) === 1, 10_000, 'the query runs');
  controller.abort();
  assert.equal((await query).code, 'aborted');
  await waitUntil(async () => (await busySlots()) === 0, 10_000, 'its slot is free again');
});
