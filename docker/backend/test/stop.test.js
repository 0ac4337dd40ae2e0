'use strict';

// SIGTERM: what is under way ends, nothing new starts, exit code 0, never longer than DRAIN_MS.

const assert = require('node:assert/strict');
const http = require('node:http');
const { afterEach, test } = require('node:test');

const { Backend, realServers } = require('./support/backend');
const { ScriptedService, rows, silence } = require('./support/scriptedService');
const { waitUntil } = require('./support/wait');

const HEALTHY = (response) => response.end('{"status":"healthy","spark_version":"4.1.0"}');

let opened = [];
afterEach(async () => {
  for (const close of opened.reverse()) await close();
  opened = [];
});

/** A backend in front of a service that answers queries with `answer`. */
async function start(answer, env = {}) {
  const service = await ScriptedService.start((response, request) =>
    request.url.endsWith('/health') ? HEALTHY(response) : answer(response),
  );
  opened.push(() => service.stop());
  const backend = await Backend.start({ ...realServers(), SPARK_SERVICE_URL: service.url, ...env });
  opened.push(() => backend.stop());
  const queried = () => service.requests.some(({ url }) => url.includes('/query/'));
  return { backend, queried };
}

test('a request under way gets its answer, a new one no connection', async () => {
  let finish;
  const { backend, queried } = await start((response) => {
    finish = () => rows([{ id: 1 }])(response);
  });
  const read = backend.get('/api/users?source=parquet');
  await waitUntil(queried, 5_000, 'the query is there');
  backend.child.signal('SIGTERM');
  await waitUntil(() => /msg=stopping/.test(backend.child.output), 5_000, 'it stops');
  await assert.rejects(backend.get('/api/health'), { code: 'ECONNREFUSED' });
  finish();
  const { status, body } = await read;
  assert.equal(status, 200);
  assert.deepEqual(body.rows, [{ id: 1 }]);
  assert.equal(await backend.child.ended, 0);
});

test('idle connections do not hold it', async () => {
  const { backend } = await start(rows([]));
  const agent = new http.Agent({ keepAlive: true });
  opened.push(() => agent.destroy());
  await new Promise((resolve, reject) => {
    http
      .get(`${backend.url}/api/mode`, { agent }, (response) => response.resume().on('end', resolve))
      .on('error', reject);
  });
  const begin = performance.now();
  backend.child.signal('SIGTERM');
  assert.equal(await backend.child.ended, 0);
  assert.ok(performance.now() - begin < 2_000);
});

test('a request that never ends is cut after DRAIN_MS', async () => {
  const { backend, queried } = await start(silence, { DRAIN_MS: '500' });
  const read = backend.get('/api/users?source=parquet').then(
    () => 'answered',
    () => 'cut',
  );
  await waitUntil(queried, 5_000, 'the query is there');
  const begin = performance.now();
  backend.child.signal('SIGTERM');
  assert.equal(await read, 'cut');
  assert.equal(await backend.child.ended, 0);
  const ms = performance.now() - begin;
  assert.ok(ms >= 450 && ms < 3_000, `${ms} ms`);
});

test('a second signal ends it now', async () => {
  const { backend, queried } = await start(silence);
  backend.get('/api/users?source=parquet').catch(() => {});
  await waitUntil(queried, 5_000, 'the query is there');
  backend.child.signal('SIGTERM');
  await waitUntil(() => /msg=stopping/.test(backend.child.output), 5_000, 'it stops');
  backend.child.signal('SIGTERM');
  assert.equal(await backend.child.ended, 1);
});
