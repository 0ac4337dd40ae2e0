'use strict';

// The backend in front of the real service and a real MySQL: modes, reads, writes, health.

const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');

const { Backend, realServers } = require('./support/backend');
const { Proxy } = require('./support/proxy');
const { ScriptedService, silence } = require('./support/scriptedService');
const { waitUntil } = require('./support/wait');

const SOURCES = ['mysql', 'parquet', 'delta', 'iceberg'];
const real = realServers();

let backend;
let sparkProxy;
let mysqlProxy;

before(async () => {
  const spark = new URL(real.SPARK_SERVICE_URL);
  sparkProxy = await Proxy.start({ host: spark.hostname, port: Number(spark.port) });
  mysqlProxy = await Proxy.start({ host: real.MYSQL_HOST, port: Number(real.MYSQL_PORT ?? 3306) });
  backend = await Backend.start({
    ...real,
    SPARK_SERVICE_URL: `http://127.0.0.1:${sparkProxy.port}`,
    SPARK_SERVICE_TIMEOUT_MS: '120000',
    SPARK_SERVICE_DEADLINE_MS: '122000',
    MYSQL_HOST: '127.0.0.1',
    MYSQL_PORT: String(mysqlProxy.port),
    MYSQL_TIMEOUT_MS: '1500',
    HEALTH_TIMEOUT_MS: '800',
  });
});

after(async () => {
  await backend.stop();
  await sparkProxy.stop();
  await mysqlProxy.stop();
});

async function rowsOf(target) {
  const { status, body, text } = await backend.get(target);
  assert.equal(status, 200, text);
  return body.rows;
}

/** Adds users for one test, and removes them when it ends. */
async function addUser(context, user) {
  const { status, body, text } = await backend.request('POST', '/api/users', user);
  assert.equal(status, 201, text);
  context.after(() => backend.request('DELETE', `/api/users/${body.id}`));
  return body;
}

test("health: healthy, with the service's own version", async () => {
  const { status, body } = await backend.get('/api/health');
  assert.equal(status, 200);
  assert.equal(body.status, 'healthy');
  assert.equal(body.mode, 'SparkSession');
  assert.match(body.spark_service.spark_version, /^\d+\.\d+\.\d+$/);
  assert.equal(body.mysql.status, 'healthy');
});

test('all four sources give the same rows, and so does Direct Access', async (context) => {
  context.after(() => backend.setMode('SparkSession'));
  for (const parameters of [
    '',
    '&sort=balance&order=desc&age_min=54',
    '&sort=created_at&limit=4&offset=4',
  ]) {
    const answers = [];
    for (const source of SOURCES) {
      const { body } = await backend.get(`/api/users?source=${source}${parameters}`);
      assert.equal(body.mode, 'SparkSession', JSON.stringify(body));
      answers.push(body);
    }
    await backend.setMode('direct');
    const direct = (await backend.get(`/api/users?source=mysql${parameters}`)).body;
    await backend.setMode('spark');
    assert.equal(direct.mode, 'Direct Access');
    assert.ok(direct.rows.length > 0);
    for (const { rows, has_more: hasMore } of answers) {
      assert.equal(JSON.stringify(rows), JSON.stringify(direct.rows));
      assert.equal(hasMore, direct.has_more);
    }
  }
});

test('an answer says where its time went', async () => {
  const { body, headers } = await backend.get('/api/users?source=parquet');
  for (const name of ['total_ms', 'service_ms', 'queue_ms', 'plan_ms', 'run_ms', 'write_ms']) {
    assert.ok(body.timing[name] >= 0, `${name} in ${JSON.stringify(body.timing)}`);
  }
  assert.ok(body.timing.total_ms >= body.timing.run_ms);
  assert.match(headers['server-timing'], /^total;dur=\d/);
  assert.match(body.query_id, /^[0-9a-f-]{36}$/);
});

test('modes: switched at run time; Direct Access reads MySQL only', async (context) => {
  context.after(() => backend.setMode('SparkSession'));
  const { status, body } = await backend.setMode('Direct Access');
  assert.equal(status, 200);
  assert.deepEqual(body, {
    mode: 'Direct Access',
    modes: ['SparkSession', 'Direct Access'],
    sources: ['mysql'],
  });
  const refused = await backend.get('/api/users?source=delta');
  assert.equal(refused.status, 409);
  assert.equal(refused.body.code, 'mode_unavailable');
  assert.equal((await backend.setMode('turbo')).status, 400);
  assert.equal((await backend.get('/api/mode')).body.mode, 'Direct Access');
});

test('writes go to MySQL in both modes, and SparkSession reads them', async (context) => {
  context.after(() => backend.setMode('SparkSession'));
  for (const mode of ['SparkSession', 'Direct Access']) {
    await backend.setMode(mode);
    const name = `O'Neil "; DROP TABLE users; -- ${mode}`;
    const created = await addUser(context, { name, age: 150, city: 'Zürich 🏔', balance: '-0.05' });
    assert.equal(created.name, name);
    assert.match(created.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    assert.ok(Math.abs(Date.now() - Date.parse(created.created_at)) < 60_000, created.created_at);
    assert.deepEqual(await rowsOf('/api/users?age_min=150'), [created]);

    const changed = await backend.request('PUT', `/api/users/${created.id}`, {
      name: 'Plain',
      age: 151,
    });
    assert.deepEqual(changed.body, {
      ...created,
      name: 'Plain',
      age: 151,
      city: null,
      balance: null,
    });
    assert.deepEqual(await rowsOf('/api/users?age_min=150'), [changed.body]);
    assert.deepEqual((await backend.get(`/api/users/${created.id}`)).body, changed.body);

    assert.equal((await backend.request('DELETE', `/api/users/${created.id}`)).status, 204);
    assert.deepEqual(await rowsOf('/api/users?age_min=150'), []);
    for (const [method, body] of [['GET'], ['PUT', { name: 'x' }], ['DELETE']]) {
      const gone = await backend.request(method, `/api/users/${created.id}`, body);
      assert.equal(gone.status, 404, method);
      assert.equal(gone.body.code, 'not_found');
    }
  }
});

test('users added at the same time get ids of their own', async (context) => {
  const users = await Promise.all(
    Array.from({ length: 12 }, (_, i) => addUser(context, { name: `u${i}`, age: 160 })),
  );
  assert.equal(new Set(users.map(({ id }) => id)).size, 12);
});

test('wrong input is 400 and names the field', async () => {
  for (const [method, target, field, body] of [
    ['GET', '/api/users?limit=0', 'limit'],
    ['GET', '/api/users?sort=password', 'sort'],
    ['GET', '/api/users?source=oracle', 'source'],
    ['GET', '/api/users?age_min=1%20OR%201=1', 'age_min'],
    ['POST', '/api/users', 'name', { age: 5 }],
    ['PUT', '/api/users/1', 'age', { name: 'x', age: 'old' }],
    ['PUT', '/api/users/1%20OR%201=1', 'id', { name: 'x' }],
    ['PUT', '/api/mode', 'mode', null],
  ]) {
    const { status, body: problem, headers } = await backend.request(method, target, body);
    assert.equal(status, 400, `${method} ${target}`);
    assert.equal(headers['content-type'], 'application/problem+json');
    assert.equal(problem.code, 'bad_request');
    assert.equal(problem.field, field);
  }
});

test('HTTP: what is refused, and how', async () => {
  assert.equal((await backend.get('/nope')).status, 404);
  assert.equal((await backend.get('/../server.js')).status, 404);
  assert.equal((await backend.get('/%2e%2e/server.js')).status, 404);
  assert.equal((await backend.get('/constructor')).status, 404);
  const wrongMethod = await backend.request('DELETE', '/api/users');
  assert.equal(wrongMethod.status, 405);
  assert.equal(wrongMethod.headers.allow, 'GET, POST');
  assert.equal((await backend.request('POST', '/', {})).status, 405);
  assert.equal(
    (await backend.request('POST', '/api/users', { name: 'x' }, { 'Content-Type': 'text/plain' }))
      .status,
    415,
  );
  assert.equal(
    (await backend.request('POST', '/api/users', { name: 'x'.repeat(70_000) })).status,
    413,
  );
  const crossSite = await backend.request(
    'POST',
    '/api/users',
    { name: 'x' },
    { Origin: 'http://elsewhere.example' },
  );
  assert.equal(crossSite.status, 403);
  assert.equal(
    (await backend.request('PUT', '/api/mode', { mode: 'spark' }, { Origin: backend.url })).status,
    200,
  );
});

test('the page comes with a strict policy, and 304 when unchanged', async () => {
  const { status, headers, text } = await backend.get('/');
  assert.equal(status, 200);
  assert.match(headers['content-type'], /^text\/html/);
  assert.match(headers['content-security-policy'], /default-src 'none'; script-src 'self';/);
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.ok(!/<script(?![^>]*src=)|style=|onclick=/.test(text), 'nothing inline');
  assert.equal(
    (await backend.request('GET', '/', undefined, { 'If-None-Match': headers.etag })).status,
    304,
  );
  const head = await backend.request('HEAD', '/style.css');
  assert.equal(head.status, 200);
  assert.equal(head.text, '');
});

test('health answers at once while many queries run', async () => {
  const times = [];
  // No two statements are the same, so the service runs each.
  const readers = Array.from({ length: 24 }, async (_, i) => {
    for (let turn = 0; times.length < 20; turn++) {
      const { status, text } = await backend.get(
        `/api/users?source=${SOURCES[i % 4]}&offset=${24 * turn + i}`,
      );
      assert.equal(status, 200, text);
    }
  });
  while (times.length < 20) times.push((await backend.get('/api/health')).ms);
  await Promise.all(readers);
  assert.ok(Math.max(...times) < 1_000, `${times.map(Math.round)}`);
});

test('a service that hangs: health answers within its time and shares one question', async (context) => {
  context.after(() => sparkProxy.resume());
  sparkProxy.pause();
  const answers = await Promise.all(Array.from({ length: 10 }, () => backend.get('/api/health')));
  for (const { ms, status, body } of answers) {
    assert.ok(ms < 2_000, `${ms} ms`);
    assert.equal(status, 200);
    assert.equal(body.status, 'degraded');
    assert.equal(body.spark_service.code, 'client_timeout');
    assert.deepEqual(body.spark_service, answers[0].body.spark_service);
  }
  sparkProxy.resume();
  await waitUntil(
    async () => (await backend.get('/api/health')).body.status === 'healthy',
    5_000,
    'healthy again',
  );
});

test('a service that is gone: errors as they are, MySQL read directly with a notice', async (context) => {
  await sparkProxy.refuse();
  context.after(async () => {
    await sparkProxy.accept();
    await backend.setMode('SparkSession');
  });
  const failed = await backend.get('/api/users?source=parquet');
  assert.equal(failed.status, 502);
  assert.equal(failed.body.code, 'unreachable');
  assert.match(failed.body.detail, /ECONNREFUSED/);

  const fallen = await backend.get('/api/users?source=mysql');
  assert.equal(fallen.status, 200);
  assert.equal(fallen.body.mode, 'Direct Access');
  assert.equal(fallen.body.notice.code, 'unreachable');
  assert.equal(fallen.body.rows.length, 12);

  await backend.setMode('Direct Access');
  const direct = await backend.get('/api/users?source=mysql');
  assert.equal(direct.body.notice, undefined);
  assert.deepEqual(direct.body.rows, fallen.body.rows);
  assert.equal((await backend.get('/api/health')).body.status, 'healthy');
});

test('a MySQL that hangs: 504 in time, files still served, and it heals', async (context) => {
  context.after(() => backend.setMode('SparkSession'));
  await backend.setMode('Direct Access');
  await rowsOf('/api/users');
  mysqlProxy.pause();
  const [hung, health] = await Promise.all([backend.get('/api/users'), backend.get('/api/health')]);
  assert.equal(hung.status, 504, hung.text);
  assert.ok(hung.ms < 3_000, `${hung.ms} ms`);
  assert.equal(health.status, 503);
  assert.equal(health.body.status, 'unhealthy');
  await backend.setMode('SparkSession');
  assert.equal((await backend.get('/api/users?source=parquet')).status, 200);
  assert.equal((await backend.get('/api/health')).body.status, 'degraded');
  mysqlProxy.resume();
  await backend.setMode('Direct Access');
  await waitUntil(
    async () => (await backend.get('/api/users')).status === 200,
    5_000,
    'Direct Access works again',
  );
});

test('a MySQL that is gone is 502, and back at once', async (context) => {
  context.after(() => backend.setMode('SparkSession'));
  await backend.setMode('Direct Access');
  await rowsOf('/api/users');
  await mysqlProxy.refuse();
  const gone = await backend.get('/api/users');
  assert.equal(gone.status, 502, gone.text);
  assert.equal(gone.body.code, 'source_error');
  assert.ok(!gone.text.includes(real.MYSQL_PASSWORD ?? '\0'));
  await mysqlProxy.accept();
  assert.equal((await backend.get('/api/users')).status, 200);
});

test('connections that MySQL dropped while idle are not used again', async (context) => {
  context.after(() => backend.setMode('SparkSession'));
  await backend.setMode('Direct Access');
  await Promise.all(Array.from({ length: 5 }, () => rowsOf('/api/users')));
  mysqlProxy.cut();
  await waitUntil(
    async () => (await backend.get('/api/users')).status === 200,
    1_000,
    'a read works',
  );
  for (let i = 0; i < 5; i += 1) await rowsOf('/api/users');
});

test('a wrong MySQL password is 502 without names', async () => {
  const other = await Backend.start({ ...real, SPARK_SERVICE_URL: '', MYSQL_PASSWORD: 'wrong' });
  try {
    const { status, body } = await other.get('/api/users');
    assert.equal(status, 502);
    assert.equal(body.detail, "MySQL can't be reached (ER_ACCESS_DENIED_ERROR)");
  } finally {
    await other.stop();
  }
});

test('backend-direct: without any spark-service', async () => {
  const direct = await Backend.start({ ...real, SPARK_SERVICE_URL: '', MODE: 'direct' });
  try {
    const { status, body } = await direct.get('/api/health');
    assert.equal(status, 200);
    assert.equal(body.status, 'healthy');
    assert.deepEqual(body.spark_service, { status: 'not_configured' });
    assert.equal((await direct.get('/api/users')).body.rows.length, 12);
    const refused = await direct.setMode('SparkSession');
    assert.equal(refused.status, 409);
    assert.deepEqual((await direct.get('/api/mode')).body.modes, ['Direct Access']);
    const { body: user } = await direct.request('POST', '/api/users', { name: 'Direct' });
    assert.equal((await direct.request('DELETE', `/api/users/${user.id}`)).status, 204);
  } finally {
    await direct.stop();
  }
});

test('without fallback the error is shown for MySQL too', async () => {
  const strict = await Backend.start({
    ...real,
    SPARK_SERVICE_URL: 'http://127.0.0.1:9',
    DIRECT_FALLBACK: '0',
  });
  try {
    const { status, body } = await strict.get('/api/users');
    assert.equal(status, 502);
    assert.equal(body.code, 'unreachable');
  } finally {
    await strict.stop();
  }
});

test('a browser that leaves closes its query in the service', async () => {
  const service = await ScriptedService.start(silence);
  const waiting = await Backend.start({ ...real, SPARK_SERVICE_URL: service.url });
  try {
    const controller = new AbortController();
    const read = fetch(`${waiting.url}/api/users?source=delta`, { signal: controller.signal });
    await waitUntil(
      () => service.requests.some(({ url }) => url.endsWith('/delta')),
      5_000,
      'the query is there',
    );
    const desertedBefore = service.deserted;
    controller.abort();
    await assert.rejects(read, { name: 'AbortError' });
    await waitUntil(
      () => service.deserted > desertedBefore,
      5_000,
      'the service sees the client leave',
    );
  } finally {
    await waiting.stop();
    await service.stop();
  }
});
