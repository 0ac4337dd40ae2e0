'use strict';

// The client against scripted answers: what it sends, what it retries, when it gives up.

const assert = require('node:assert/strict');
const { afterEach, test } = require('node:test');

const { parseRetryAfter, parseServerTiming } = require('../clients/answer');
const { SparkServiceClient, SparkServiceError } = require('../clients/sparkServiceClient');
const { ScriptedService, problem, rows, silence } = require('./support/scriptedService');
const { freePort } = require('./support/servers');
const { waitUntil } = require('./support/wait');

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const BUSY = { headers: { 'Retry-After': '0' } };

let opened = [];
afterEach(async () => {
  for (const close of opened.reverse()) await close();
  opened = [];
});

async function script(...answers) {
  const service = await ScriptedService.start(...answers);
  opened.push(() => service.stop());
  return service;
}

function clientOf(service, options = {}) {
  const client = new SparkServiceClient({ baseUrl: service.url, ...options });
  opened.push(() => client.close());
  return client;
}

/** The error of a promise that must reject with a SparkServiceError of that code. */
async function errorOf(promise, code) {
  const error = await promise.then(
    () => assert.fail('it resolved'),
    (reason) => reason,
  );
  assert.ok(error instanceof SparkServiceError, error.stack);
  assert.equal(error.code, code, error.stack);
  return error;
}

test('sends the documented fields to each endpoint', async () => {
  const service = await script(rows([]));
  const client = clientOf(service, { token: 'secret' });
  await client.executeMySQLQuery('SELECT 1');
  await client.executeMySQLQuery('SELECT 1', { source: 'other' });
  await client.executeParquetQuery('/data/parquet/users', 'SELECT 2', {
    params: { a: 1 },
    rowLimit: 5,
  });
  await client.executeDeltaQuery('/data/delta/users', 'SELECT 3', { asOf: { version: 0 } });
  await client.executeIcebergQuery(undefined, 'SELECT 4', { table: 'db.users', numbers: 'native' });

  const [mysql, other, parquet, delta, iceberg] = service.requests;
  const { query_id: queryId, timeout_ms: timeoutMs, ...fields } = mysql.body;
  assert.deepEqual(fields, { sql: 'SELECT 1', config: { source: 'main' }, numbers: 'string' });
  assert.match(queryId, UUID);
  assert.equal(timeoutMs, 28_000);
  assert.equal(mysql.method, 'POST');
  assert.equal(mysql.headers['content-type'], 'application/json');
  assert.equal(mysql.headers.authorization, 'Bearer secret');
  assert.deepEqual(other.body.config, { source: 'other' });
  assert.deepEqual(
    service.requests.map(({ url }) => url),
    [
      '/api/spark/query/mysql',
      '/api/spark/query/mysql',
      '/api/spark/query/parquet',
      '/api/spark/query/delta',
      '/api/spark/query/iceberg',
    ],
  );
  assert.equal(parquet.body.path, '/data/parquet/users');
  assert.deepEqual(parquet.body.params, { a: 1 });
  assert.equal(parquet.body.row_limit, 5);
  assert.deepEqual(delta.body.as_of, { version: 0 });
  assert.equal(iceberg.body.table, 'db.users');
  assert.equal(iceberg.body.numbers, 'native');
  assert.ok(!('path' in iceberg.body));
});

test('gives rows with what the headers tell', async () => {
  const service = await script(
    rows([{ id: 1 }], {
      'Query-Engine': 'spark',
      'Result-Truncated': 'true',
      'Server-Timing': 'queue;dur=0.5, run;dur=12',
    }),
  );
  const result = await clientOf(service).executeParquetQuery('/p', 'SELECT 1');
  assert.deepEqual(result.rows, [{ id: 1 }]);
  assert.equal(result.queryId, 'given');
  assert.equal(result.engine, 'spark');
  assert.equal(result.truncated, true);
  assert.deepEqual(result.serverTiming, { queue: 0.5, run: 12 });
  assert.equal(result.attempts, 1);
});

test('keeps its connection alive, and drops it on close', async () => {
  const service = await script(rows([]));
  const client = clientOf(service);
  for (let i = 0; i < 3; i += 1) await client.executeParquetQuery('/p', 'SELECT 1');
  assert.equal(service.connections, 1);
  client.close();
  const open = () =>
    new Promise((resolve) => service.server.getConnections((_, count) => resolve(count)));
  await waitUntil(async () => (await open()) === 0, 2_000, 'the connection is closed');
});

test('a kept connection that the service closed is replaced', async () => {
  const service = await script(
    rows([{ n: 1 }]),
    (response) => response.destroy(),
    rows([{ n: 2 }]),
  );
  const client = clientOf(service);
  await client.executeParquetQuery('/p', 'SELECT 1');
  const { rows: second, attempts } = await client.executeParquetQuery('/p', 'SELECT 2');
  assert.deepEqual(second, [{ n: 2 }]);
  assert.equal(attempts, 1);
  assert.equal(service.connections, 2);
});

test('tries again after 503 with Retry-After, with less time and the same query id', async () => {
  const service = await script(
    problem(503, 'queue_full', BUSY),
    problem(503, 'starting', BUSY),
    rows([{ a: 1 }]),
  );
  const result = await clientOf(service).executeDeltaQuery('/p', 'SELECT 1');
  assert.deepEqual(result.rows, [{ a: 1 }]);
  assert.equal(result.attempts, 3);
  const [first, , third] = service.requests.map(({ body }) => body);
  assert.equal(first.query_id, third.query_id);
  assert.ok(third.timeout_ms < first.timeout_ms);
});

test('waits as long as Retry-After says', async () => {
  const service = await script(
    problem(503, 'queue_full', { headers: { 'Retry-After': '1' } }),
    rows([]),
  );
  await clientOf(service).executeDeltaQuery('/p', 'SELECT 1');
  const [first, second] = service.requests;
  assert.ok(second.at - first.at >= 990, `waited ${second.at - first.at} ms`);
  assert.ok(second.body.timeout_ms <= 27_100, String(second.body.timeout_ms));
});

test('stops trying after maxRetries', async () => {
  const service = await script(problem(503, 'queue_full', BUSY));
  const error = await errorOf(
    clientOf(service, { maxRetries: 2 }).executeDeltaQuery('/p', 'SELECT 1'),
    'queue_full',
  );
  assert.equal(service.requests.length, 3);
  assert.equal(error.notRun, true);
});

test('does not wait for a Retry-After beyond its deadline', async () => {
  const service = await script(problem(503, 'draining', { headers: { 'Retry-After': '60' } }));
  const begin = performance.now();
  const error = await errorOf(clientOf(service).executeDeltaQuery('/p', 'SELECT 1'), 'draining');
  assert.ok(performance.now() - begin < 1_000);
  assert.equal(error.retryAfterMs, 60_000);
});

for (const [status, code, headers] of [
  [503, 'queue_full', {}],
  [429, 'rate_limited', BUSY.headers],
  [500, 'engine_error', BUSY.headers],
  [502, 'source_error', BUSY.headers],
  [504, 'timeout', BUSY.headers],
  [422, 'sql_error', {}],
]) {
  test(`does not try again after ${status}${status === 503 ? ' without Retry-After' : ''}`, async () => {
    const service = await script(problem(status, code, { headers }));
    const error = await errorOf(clientOf(service).executeMySQLQuery('SELECT 1'), code);
    assert.equal(error.status, status);
    assert.equal(service.requests.length, 1);
  });
}

test('an error carries what the problem says', async () => {
  const service = await script(
    problem(422, 'sql_error', {
      query_id: 'q-1',
      sqlstate: '42703',
      error_class: 'UNRESOLVED_COLUMN',
    }),
  );
  const error = await errorOf(
    clientOf(service).executeParquetQuery('/p', 'SELECT nope'),
    'sql_error',
  );
  const { status, detail, queryId, sqlstate, errorClass, notRun } = error;
  assert.deepEqual(
    { status, detail, queryId, sqlstate, errorClass, notRun },
    {
      status: 422,
      detail: 'about sql_error',
      queryId: 'q-1',
      sqlstate: '42703',
      errorClass: 'UNRESOLVED_COLUMN',
      notRun: false,
    },
  );
});

test('gives up at its deadline and closes the connection', async () => {
  const service = await script(silence);
  const client = clientOf(service, { timeoutMs: 200, deadlineMs: 300 });
  const begin = performance.now();
  const error = await errorOf(client.executeParquetQuery('/p', 'SELECT 1'), 'client_timeout');
  const ms = performance.now() - begin;
  assert.ok(ms >= 290 && ms < 1_500, `${ms} ms`);
  assert.match(error.queryId, UUID);
  await waitUntil(() => service.deserted === 1, 2_000, 'the service sees the client leave');
});

test('gives up at its deadline in the middle of an answer', async () => {
  const service = await script((response) => response.writeHead(200).write('[{"a":1},'));
  const client = clientOf(service, { timeoutMs: 200, deadlineMs: 300 });
  await errorOf(client.executeParquetQuery('/p', 'SELECT 1'), 'client_timeout');
  await waitUntil(() => service.deserted === 1, 2_000, 'the service sees the client leave');
});

test("times of one call win over the client's", async () => {
  const service = await script(rows([]));
  const client = clientOf(service);
  await client.executeParquetQuery('/p', 'SELECT 1', { timeoutMs: 60_000 });
  await client.executeParquetQuery('/p', 'SELECT 1', { deadlineMs: 5_000 });
  assert.deepEqual(
    service.requests.map(({ body }) => body.timeout_ms),
    [60_000, 3_000],
  );
});

test('refuses times that make no sense', async () => {
  assert.throws(
    () => new SparkServiceClient({ baseUrl: 'http://h', timeoutMs: 30_000 }),
    RangeError,
  );
  assert.throws(() => new SparkServiceClient({ baseUrl: 'ftp://h' }), TypeError);
  const client = clientOf({ url: 'http://127.0.0.1:9' });
  await assert.rejects(
    client.executeMySQLQuery('SELECT 1', undefined, { timeoutMs: 0.5 }),
    RangeError,
  );
});

test('an abort closes the connection', async () => {
  const service = await script(silence);
  const controller = new AbortController();
  const query = errorOf(
    clientOf(service).executeParquetQuery('/p', 'SELECT 1', { signal: controller.signal }),
    'aborted',
  );
  await waitUntil(() => service.requests.length === 1, 2_000, 'the query is there');
  controller.abort();
  await query;
  await waitUntil(() => service.deserted === 1, 2_000, 'the service sees the client leave');
});

test('an abort before the call sends nothing', async () => {
  const service = await script(rows([]));
  await errorOf(
    clientOf(service).executeParquetQuery('/p', 'SELECT 1', { signal: AbortSignal.abort() }),
    'aborted',
  );
  assert.equal(service.requests.length, 0);
});

test('an abort ends the pause before a retry', async () => {
  const service = await script(problem(503, 'queue_full', { headers: { 'Retry-After': '20' } }));
  const controller = new AbortController();
  const begin = performance.now();
  const query = errorOf(
    clientOf(service).executeParquetQuery('/p', 'SELECT 1', { signal: controller.signal }),
    'aborted',
  );
  await waitUntil(() => service.requests.length === 1, 2_000, 'the first attempt');
  controller.abort();
  await query;
  assert.ok(performance.now() - begin < 5_000);
  assert.equal(service.requests.length, 1);
});

test('leaves no listener on a signal that outlives the call', async () => {
  const service = await script(rows([]));
  const { signal } = new AbortController();
  let listeners = 0;
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  signal.addEventListener = (...args) => {
    listeners += 1;
    return addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args) => {
    listeners -= 1;
    return removeEventListener.apply(signal, args);
  };
  await clientOf(service).executeParquetQuery('/p', 'SELECT 1', { signal });
  assert.equal(listeners, 0);
});

for (const [what, answer] of [
  [
    'a chunked answer without its end',
    (response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.write('[{"a":1}]', () => response.destroy());
    },
  ],
  [
    'an answer shorter than its Content-Length',
    (response) => {
      response.writeHead(200, { 'Content-Length': '100' });
      response.write('[{"a":1}]', () => response.destroy());
    },
  ],
  ['no answer at all', (response) => response.destroy()],
]) {
  test(`${what} is connection_lost, never rows`, async () => {
    const service = await script(answer);
    const error = await errorOf(
      clientOf(service).executeParquetQuery('/p', 'SELECT 1'),
      'connection_lost',
    );
    assert.equal(error.notRun, false);
  });
}

for (const [what, answer] of [
  ['text', (response) => response.end('oops')],
  ['an object', (response) => response.end('{"rows":[]}')],
  ['an error without a problem', (response) => response.writeHead(502).end('<html>proxy</html>')],
  ['a redirect', (response) => response.writeHead(302, { Location: '/elsewhere' }).end()],
]) {
  test(`${what} is bad_answer`, async () => {
    const service = await script(answer);
    await errorOf(clientOf(service).executeParquetQuery('/p', 'SELECT 1'), 'bad_answer');
    assert.equal(service.requests.length, 1);
  });
}

test('an answer beyond maxAnswerBytes is too_large', async () => {
  const service = await script(rows([{ text: 'x'.repeat(10_000) }]));
  await errorOf(
    clientOf(service, { maxAnswerBytes: 5_000 }).executeParquetQuery('/p', 'SELECT 1'),
    'too_large',
  );
});

test('no connection is unreachable', async () => {
  const error = await errorOf(
    clientOf({ url: `http://127.0.0.1:${await freePort()}` }).executeMySQLQuery('SELECT 1'),
    'unreachable',
  );
  assert.equal(error.notRun, true);
  await errorOf(clientOf({ url: 'http://name.invalid' }).checkHealth(), 'unreachable');
});

test('health: any state is an answer', async () => {
  for (const [status, state] of [
    [200, 'healthy'],
    [503, 'starting'],
    [503, 'degraded'],
  ]) {
    const service = await script((response) =>
      response.writeHead(status).end(JSON.stringify({ status: state, spark_version: '4.1.0' })),
    );
    assert.deepEqual(await clientOf(service).checkHealth(), {
      status: state,
      spark_version: '4.1.0',
    });
  }
});

test('health: gives up within its own time', async () => {
  const service = await script(silence);
  const begin = performance.now();
  await errorOf(clientOf(service).checkHealth({ timeoutMs: 200 }), 'client_timeout');
  assert.ok(performance.now() - begin < 1_500);
});

test('health: an answer that is none is an error', async () => {
  const service = await script((response) => response.writeHead(500).end('{}'));
  assert.equal((await errorOf(clientOf(service).checkHealth(), 'bad_answer')).status, 500);
});

test('Retry-After may be seconds or a date', () => {
  assert.equal(parseRetryAfter('7'), 7_000);
  assert.equal(parseRetryAfter(undefined), undefined);
  assert.equal(parseRetryAfter('soon'), undefined);
  assert.equal(parseRetryAfter('Wed, 21 Oct 2015 07:28:00 GMT'), 0);
  const ms = parseRetryAfter(new Date(Date.now() + 10_000).toUTCString());
  assert.ok(ms > 8_000 && ms <= 10_000, String(ms));
});

test('Server-Timing is read by name', () => {
  assert.deepEqual(parseServerTiming('queue;dur=0.068, plan;dur=5033.916'), {
    queue: 0.068,
    plan: 5033.916,
  });
  assert.deepEqual(parseServerTiming(undefined), {});
});
