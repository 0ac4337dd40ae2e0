'use strict';

// The users page in a real browser, in front of the real service and a real MySQL.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { after, before, beforeEach, test } = require('node:test');
const { chromium } = require('playwright-core');

const { Backend, realServers } = require('./support/backend');
const { Proxy } = require('./support/proxy');

const BROWSER = process.env.CHROMIUM ?? '/usr/bin/chromium';
const SCREENSHOTS = path.join(process.env.RESULTS, 'backend-page');
const READ_MS = 60_000; // the first query of a source is slow on a busy machine

const real = realServers();
let sparkProxy;
let backend;
let browser;
let page;
let complaints;

before(async () => {
  const spark = new URL(real.SPARK_SERVICE_URL);
  sparkProxy = await Proxy.start({ host: spark.hostname, port: Number(spark.port) });
  backend = await Backend.start({
    ...real,
    SPARK_SERVICE_URL: `http://127.0.0.1:${sparkProxy.port}`,
    SPARK_SERVICE_TIMEOUT_MS: '60000',
    SPARK_SERVICE_DEADLINE_MS: '62000',
  });
  browser = await chromium.launch({
    executablePath: BROWSER,
    args: [
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...(process.getuid() === 0 ? ['--no-sandbox'] : []),
    ],
  });
  fs.mkdirSync(SCREENSHOTS, { recursive: true });
});

after(async () => {
  await browser?.close();
  await backend?.stop();
  await sparkProxy?.stop();
});

beforeEach(async () => {
  await page?.close();
  await backend.setMode('SparkSession');
  page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  page.setDefaultTimeout(READ_MS);
  complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(backend.url);
  await rowsRead();
});

/** Waits until a read has ended; gives the texts of the first cells of all rows. */
async function rowsRead() {
  await page.waitForFunction(
    () => document.getElementById('busy').hidden && document.getElementById('runs').rows.length > 0,
  );
  return page.locator('#rows tr td:first-child').allTextContents();
}

/** Does something that starts a read, and waits for the read's end. */
async function reading(act) {
  await Promise.all([
    page.waitForResponse((response) => response.url().includes('/api/users?')),
    act(),
  ]);
  return rowsRead();
}

const choose = (group, value) => page.locator(`#${group} button[data-value="${value}"]`);
const screenshot = (name) => page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`) });

test('shows users of each source, with their times', async () => {
  const ids = Array.from({ length: 12 }, (_, i) => String(i + 1));
  for (const source of ['parquet', 'delta', 'iceberg', 'mysql']) {
    assert.deepEqual(await reading(() => choose('source', source).click()), ids, source);
    assert.equal(await choose('source', source).getAttribute('aria-checked'), 'true');
    const times = await page.locator('#timing').innerText();
    for (const label of [
      'Round trip',
      'Backend',
      'spark-service',
      'Queue',
      'Plan',
      'Run',
      'Write',
    ]) {
      assert.match(times, new RegExp(`${label}\\s+[\\d.]+ ms`), source);
    }
    assert.equal(await page.locator('#add').isEnabled(), source === 'mysql');
    assert.equal(await page.locator('#rows button').count(), source === 'mysql' ? 12 : 0);
    const run = await page.locator('#runs tr').first().innerText();
    assert.match(run, /SparkSession\s+\S+\s+12\s+[\d.]+ ms/);
  }
  const ada = await page.locator('#rows tr').first().locator('td').allTextContents();
  assert.deepEqual(ada.slice(0, 6), [
    '1',
    'Ada Lovelace',
    '36',
    'London',
    '2024-01-05 09:00:00',
    '1250.00',
  ]);
  await page.waitForFunction(() => document.getElementById('health').dataset.status === 'healthy');
  await screenshot('spark-session');
  assert.deepEqual(complaints, []);
});

test('sorts, filters and turns pages', async () => {
  const sorted = await reading(() => page.locator('#columns button', { hasText: 'Age' }).click());
  assert.deepEqual(sorted.slice(0, 3), ['1', '12', '2']);
  assert.deepEqual(
    (await reading(() => page.locator('#columns button', { hasText: 'Age' }).click())).slice(0, 2),
    ['5', '7'],
  );

  await page.locator('[name="limit"]').selectOption('5');
  await page.locator('[name="age_min"]').fill('50');
  const first = await reading(() => page.locator('#filter button').click());
  assert.deepEqual(first, ['5', '7', '6', '3', '9']);
  assert.equal(await page.locator('#page').innerText(), '1–5');
  assert.deepEqual(await reading(() => page.locator('#next').click()), ['11', '4', '8', '10']);
  assert.equal(await page.locator('#page').innerText(), '6–9');
  assert.ok(await page.locator('#next').isDisabled());
  assert.deepEqual(await reading(() => page.locator('#previous').click()), first);
  assert.deepEqual(complaints, []);
});

test('switches to Direct Access and back', async () => {
  await reading(() => choose('source', 'delta').click());
  const rows = await reading(() => choose('mode', 'Direct Access').click());
  assert.equal(rows.length, 12);
  assert.equal(await choose('source', 'mysql').getAttribute('aria-checked'), 'true');
  for (const source of ['parquet', 'delta', 'iceberg'])
    assert.ok(await choose('source', source).isDisabled(), source);
  assert.match(await page.locator('#timing').innerText(), /MySQL\s+[\d.]+ ms/);
  assert.match(await page.locator('#runs tr').first().innerText(), /Direct Access\s+MySQL\s+12/);
  await screenshot('direct-access');
  await reading(() => choose('mode', 'SparkSession').click());
  assert.ok(await choose('source', 'delta').isEnabled());
  assert.deepEqual(complaints, []);
});

test('adds, changes and deletes a user; what looks like HTML stays text', async () => {
  const evil = '<img src=x onerror="alert(1)"><b>bold</b>';
  await page.locator('#add').click();
  await page.locator('#editor [name="name"]').fill(evil);
  await page.locator('#editor [name="age"]').fill('170');
  await page.locator('#editor [name="city"]').fill('<script>alert(2)</script>');
  await page.locator('#editor [name="balance"]').fill('-1.5');
  await screenshot('editor');
  await reading(() => page.locator('#save').click());
  const row = page.locator('#rows tr').last();
  const cells = await row.locator('td').allTextContents();
  assert.equal(cells[1], evil);
  assert.equal(cells[3], '<script>alert(2)</script>');
  assert.equal(cells[5], '-1.50');
  assert.equal(await page.locator('#rows img, #rows b, #rows script').count(), 0);

  await row.locator('button').click();
  await page.locator('#editor [name="name"]').fill('Tame');
  await page.locator('#editor [name="city"]').fill('');
  await reading(() => page.locator('#save').click());
  const changed = await page.locator('#rows tr').last().locator('td').allTextContents();
  assert.deepEqual(changed.slice(1, 4), ['Tame', '170', 'null']);

  await page.locator('#rows tr').last().locator('button').click();
  assert.equal((await reading(() => page.locator('#delete').click())).length, 12);
  assert.deepEqual(complaints, []);
});

test('a refused write says why, in the dialog', async () => {
  await page.locator('#add').click();
  await page.locator('#editor [name="name"]').fill('   ');
  await page.locator('#save').click();
  const error = page.locator('#editor-error');
  await error.waitFor();
  assert.match(
    await error.innerText(),
    /bad_request[\s\S]*name: must have 1 to 100 characters[\s\S]*status 400/,
  );
  await page.locator('#close').click();
});

test('shows errors as they are, and offers Direct Access', async (context) => {
  await sparkProxy.refuse();
  context.after(() => sparkProxy.accept());
  await reading(() => choose('source', 'parquet').click());
  const message = page.locator('#message');
  assert.match(
    await message.innerText(),
    /unreachable[\s\S]*no connection \(ECONNREFUSED\)[\s\S]*status 502 · query [0-9a-f-]{36}/,
  );
  assert.equal(await page.locator('#rows tr').count(), 0, 'no rows of another source');
  await page.waitForFunction(() => document.getElementById('health').dataset.status === 'degraded');
  await screenshot('error');
  const rows = await reading(() =>
    message.locator('button', { hasText: 'Switch to Direct Access' }).click(),
  );
  assert.equal(rows.length, 12);
  assert.ok(await message.isHidden());
});

test('a read can be cancelled', async (context) => {
  context.after(() => sparkProxy.resume());
  sparkProxy.pause();
  await choose('source', 'iceberg').click();
  await page.locator('#cancel').click();
  await page.waitForFunction(() => document.getElementById('busy').hidden);
  assert.match(await page.locator('#message').innerText(), /cancelled/);
});
