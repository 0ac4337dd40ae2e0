'use strict';

// What comes from outside: settings, parameters, bodies. No server needed.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const { Log } = require('../log');
const { toTimestamp } = require('../services/directMySQLDataService');
const { parseMode } = require('../services/modes');
const { parseUser, parseUserId } = require('../services/userInput');
const { bindInteger, namedBinder, parseUsersQuery, usersSql } = require('../services/usersQuery');
const { readSettings, SettingError } = require('../settings');
const { Child } = require('./support/child');

const BACKEND = path.join(__dirname, '..');
const query = (parameters) => parseUsersQuery(new URLSearchParams(parameters));

test('settings: defaults', () => {
  const settings = readSettings({});
  assert.equal(settings.port, 5000);
  assert.equal(settings.host, '127.0.0.1');
  assert.equal(settings.mode, 'Direct Access');
  assert.equal(settings.spark, null);
  const { spark, mode } = readSettings({ SPARK_SERVICE_URL: 'http://spark-service:8000' });
  assert.equal(mode, 'SparkSession');
  assert.deepEqual(spark, {
    baseUrl: 'http://spark-service:8000/',
    token: undefined,
    timeoutMs: 28_000,
    deadlineMs: 30_000,
  });
});

test('settings: README has each variable that is read, and no other', () => {
  const names = new Set();
  const env = new Proxy(
    {},
    {
      get: (_, name) => {
        names.add(name);
        return name === 'SPARK_SERVICE_URL' ? 'http://h' : undefined;
      },
    },
  );
  readSettings(env);
  const readme = fs.readFileSync(path.join(BACKEND, 'README.md'), 'utf8');
  const [, section] = /^## Settings$(.*?)^## /ms.exec(readme);
  const firstCells = section.split('\n').map((line) => line.split('|')[1] ?? '');
  const documented = firstCells.flatMap((cell) => cell.match(/(?<=`)[A-Z_]+(?=`)/g) ?? []);
  assert.deepEqual([...names].sort(), documented.sort());
});

for (const [name, value, more] of [
  ['PORT', '70000'],
  ['PORT', '5e3'],
  ['MODE', 'fast'],
  ['MODE', 'SparkSession'],
  ['LOG_LEVEL', 'loud'],
  ['SPARK_SERVICE_URL', 'spark:8000'],
  ['SPARK_SERVICE_URL', 'http://user:pw@host'],
  ['DELTA_BASE', 'data'],
  ['DIRECT_FALLBACK', 'yes'],
  ['SPARK_SERVICE_DEADLINE_MS', '28000'],
  ['MYSQL_PASSWORD_FILE', '/nowhere/at/all'],
  ['MYSQL_PASSWORD', 'hidden', { MYSQL_PASSWORD_FILE: '/dev/null' }],
]) {
  test(`settings: ${name}=${value} is refused`, () => {
    assert.throws(
      () => readSettings({ [name]: value, ...more }),
      (error) => {
        assert.ok(error instanceof SettingError, error.stack);
        assert.ok(error.message.startsWith(name), error.message);
        assert.ok(!/hidden|pw@/.test(error.message), error.message);
        return true;
      },
    );
  });
}

test('settings: a secret may be in a file', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'backend-'));
  fs.writeFileSync(path.join(folder, 'secret'), 'from the file\n');
  assert.equal(
    readSettings({ MYSQL_PASSWORD_FILE: path.join(folder, 'secret') }).mysql.password,
    'from the file',
  );
  fs.rmSync(folder, { recursive: true });
});

test('settings: a wrong one stops the start with one line and exit code 2', async () => {
  const child = new Child(process.execPath, [path.join(BACKEND, 'server.js')], {
    env: { PORT: 'x' },
  });
  assert.equal(await child.ended, 2);
  assert.equal(child.output, 'PORT: must be an integer from 0 to 65535\n');
});

test('modes: by their names on the page, or short', () => {
  for (const text of ['SparkSession', 'spark', 'SPARK'])
    assert.equal(parseMode(text), 'SparkSession');
  for (const text of ['Direct Access', 'direct', 'direct-access'])
    assert.equal(parseMode(text), 'Direct Access');
  for (const text of ['', 'constructor', '__proto__', 7, null, undefined])
    assert.equal(parseMode(text), undefined);
});

for (const [name, value] of [
  ['sort', 'password'],
  ['sort', 'id; DROP TABLE users'],
  ['sort', ''],
  ['order', 'ASC, (SELECT 1)'],
  ['limit', '0'],
  ['limit', '501'],
  ['limit', '1e2'],
  ['limit', '-1'],
  ['limit', ' 5'],
  ['offset', '1.5'],
  ['offset', '9999999999'],
  ['age_min', '1 OR 1=1'],
  ['age_max', '0x10'],
  ['sql', 'SELECT 1'],
]) {
  test(`parameters: ${name}=${value} is refused`, () => {
    assert.throws(() => query({ [name]: value }), {
      status: 400,
      code: 'bad_request',
      more: { field: name },
    });
  });
}

test('statements: names from the lists, values only through the binder', () => {
  const parameters = query({
    sort: 'name',
    order: 'desc',
    limit: '10',
    offset: '20',
    age_min: '18',
  });
  const named = namedBinder();
  assert.equal(
    usersSql('parquet_data', parameters, named.bind),
    'SELECT id, name, age, city, created_at, balance FROM parquet_data WHERE age >= :age_min ' +
      'ORDER BY name DESC, id DESC LIMIT :limit OFFSET :offset',
  );
  assert.deepEqual(named.params, {
    age_min: { type: 'INT', value: 18 },
    limit: { type: 'INT', value: 11 },
    offset: { type: 'INT', value: 20 },
  });
  assert.equal(
    usersSql('users', parameters, bindInteger),
    'SELECT id, name, age, city, created_at, balance FROM users WHERE age >= 18 ' +
      'ORDER BY name DESC, id DESC LIMIT 11 OFFSET 20',
  );
});

test('statements: nothing unchecked gets into one', () => {
  const parameters = query({});
  assert.throws(
    () => usersSql('users', { ...parameters, sort: 'id; DROP TABLE users' }, bindInteger),
    TypeError,
  );
  assert.throws(() => usersSql('users', { ...parameters, order: 'asc;' }, bindInteger), TypeError);
  assert.throws(
    () => usersSql('users', { ...parameters, offset: '0; DROP TABLE users' }, bindInteger),
    TypeError,
  );
});

test('bodies: a user', () => {
  assert.deepEqual(parseUser({ name: ' Zoë ', age: 0, city: null, balance: '-0.10' }), {
    name: 'Zoë',
    age: '0',
    city: null,
    balance: '-0.10',
  });
  assert.deepEqual(parseUser({ name: 'x' }), { name: 'x', age: null, city: null, balance: null });
  assert.equal([...parseUser({ name: '𝒳'.repeat(100) }).name].length, 100);
});

for (const [field, body] of [
  ['body', null],
  ['body', []],
  ['body', 'x'],
  ['name', {}],
  ['name', { name: '  ' }],
  ['name', { name: 7 }],
  ['name', { name: 'x'.repeat(101) }],
  ['age', { name: 'x', age: 1.5 }],
  ['age', { name: 'x', age: '5' }],
  ['age', { name: 'x', age: -1 }],
  ['city', { name: 'x', city: '' }],
  ['balance', { name: 'x', balance: 1.5 }],
  ['balance', { name: 'x', balance: '1.234' }],
  ['balance', { name: 'x', balance: '1e3' }],
  ['balance', { name: 'x', balance: '12345678901' }],
  ['id', { name: 'x', id: 1 }],
]) {
  test(`bodies: ${JSON.stringify(body).slice(0, 60)} is refused`, () => {
    assert.throws(() => parseUser(body), { status: 400, more: { field } });
  });
}

test('ids: positive BIGINT, digits kept', () => {
  assert.equal(parseUserId('9223372036854775807'), '9223372036854775807');
  for (const text of ['0', '-1', '9223372036854775808', '1.0', '1 OR 1=1', '']) {
    assert.throws(() => parseUserId(text), { status: 400, more: { field: 'id' } });
  }
});

test('times of MySQL are written as the service writes them', () => {
  assert.equal(toTimestamp('2024-01-31 09:57:06.12'), '2024-01-31T09:57:06.120000Z');
  assert.equal(toTimestamp('2024-01-31 09:57:06'), '2024-01-31T09:57:06.000000Z');
  assert.equal(toTimestamp('0000-00-00 00:00:00'), null);
  assert.equal(toTimestamp(null), null);
});

test("log: a value can't break out of its line", () => {
  let written = '';
  const log = new Log('info', (line) => {
    written += line;
  });
  log.debug('not written');
  log.info('request', { target: '/x\nlevel=error "quoted"', ms: 5, gone: undefined });
  assert.match(
    written,
    /^time=\S+ level=info msg=request target="\/x\\nlevel=error \\"quoted\\"" ms=5\n$/,
  );
});
