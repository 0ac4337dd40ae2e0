'use strict';

/* The console page. Asks this service only; whatever comes back is shown as text
 * (textContent), never as markup. */

const POLL_QUERIES_MS = 2000;
const POLL_HEALTH_MS = 5000;
const QUERIES_SHOWN = 12;
const RESULT_TYPE = 'application/vnd.spark-service.result+json';
const LIVE_STATES = new Set(['QUEUED', 'RUNNING', 'CANCELLING']);

const SOURCES = {
  parquet: { table: 'parquet_data', hint: 'The files below the path are the table parquet_data.' },
  delta: { table: 'delta_data', hint: 'The Delta table at the path is delta_data.' },
  iceberg: { table: 'iceberg_data', hint: 'The Iceberg table at the path is iceberg_data; local.db.table names one of the catalog.' },
  mysql: { table: null, hint: "The statement is MySQL's own SQL, on the source of MYSQL_*." },
};

const $ = (id) => document.getElementById(id);

/* ---- values ---- */

/* A number as its digits: a JavaScript number keeps about 16 of them. */
class ExactNumber {
  constructor(digits) { this.digits = digits; }
}

function parseExactly(text) {
  return JSON.parse(text, (key, value, context) =>
    typeof value === 'number' && context?.source !== undefined ? new ExactNumber(context.source) : value);
}

/* A browser that doesn't tell the source gets big integers as strings. */
const TELLS_SOURCE = parseExactly('1') instanceof ExactNumber;

/* As JSON again, digits kept. */
function jsonText(value) {
  if (value instanceof ExactNumber) return value.digits;
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    return `{${Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}:${jsonText(v)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/* {text, kind}: what a cell shows, and how. NULL, '' and 'NULL' look different. */
function describeCell(value, type) {
  if (value === null || value === undefined) return { text: 'NULL', kind: 'null' };
  if (value === '') return { text: 'empty', kind: 'void' };
  if (value instanceof ExactNumber) return { text: value.digits, kind: 'number' };
  if (typeof value === 'string') return { text: value, kind: isNumeric(type) ? 'number' : 'text' };
  if (typeof value === 'object') return { text: jsonText(value), kind: 'nested' };
  return { text: String(value), kind: typeof value };
}

function isNumeric(type) {
  return /^(TINYINT|SMALLINT|MEDIUMINT|INT|BIGINT|FLOAT|DOUBLE|DECIMAL|YEAR)\b/.test(type ?? '');
}

/* RFC 9562, version 4; crypto.randomUUID is missing on pages that came without TLS. */
function newUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function formatMs(ms) {
  if (ms === 0) return '< 1 ms'; /* so short that it wasn't told */
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 100) return `${ms.toFixed(1)} ms`;
  return ms < 10000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function plural(count, one) {
  return `${count} ${one}${String(count) === '1' ? '' : 's'}`;
}

/* ---- elements ---- */

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === 'class') made.className = value;
    else made.setAttribute(key, value);
  }
  made.append(...children); /* strings become text */
  return made;
}

/* ---- who asks ---- */

/* Kept for this tab until it is closed, and sent as a header: never in an address. */
const TOKEN_KEY = 'spark-service-token';
let lacksToken = false;

/* fetch with the token, if there is one. Without a valid one the page asks for it. */
async function call(target, options = {}) {
  const token = sessionStorage.getItem(TOKEN_KEY);
  const headers = { ...options.headers };
  if (token !== null) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(target, { ...options, headers });
  if (response.status === 401) askForToken(token !== null);
  return response;
}

function askForToken(wasWrong) {
  sessionStorage.removeItem(TOKEN_KEY);
  lacksToken = true;
  $('token-note').textContent = wasWrong ? 'The service does not know that token.' : 'The service answers who has a token.';
  $('token-form').hidden = false;
  $('forget').hidden = true;
}

async function useToken() {
  sessionStorage.setItem(TOKEN_KEY, $('token').value.trim());
  $('token').value = '';
  lacksToken = false;
  await loadFacts();
  if (lacksToken) return;
  $('token-form').hidden = true;
  showSource(source);
  pollQueries();
}

/* ---- the form ---- */

const drafts = {}; /* source -> {path, sql} */
let source = 'parquet';

function fillDrafts(facts) {
  for (const [name, { table }] of Object.entries(SOURCES)) {
    const sample = facts.samples[name];
    drafts[name] = {
      path: sample ?? '',
      sql: table === null ? 'SHOW TABLES' : `SELECT *\nFROM ${table}\n${sample ? 'ORDER BY id\n' : ''}LIMIT 20`,
    };
  }
  $('paths').replaceChildren(...Object.values(facts.samples).concat(facts.roots)
    .map((path) => element('option', { value: path })));
  $('path').placeholder = `${facts.roots[0]}/…`;
  if (!facts.mysql) SOURCES.mysql.hint = 'No MySQL source is set up here (MYSQL_HOST).';
  $('version').textContent = facts.version === '' ? '' : `${facts.version} · Spark ${facts.spark_line}`;
}

function showSource(name) {
  source = name;
  $('path').value = drafts[name].path;
  $('sql').value = drafts[name].sql;
  $('sql-hint').textContent = SOURCES[name].hint;
  $('path-field').hidden = name === 'mysql';
  $('engine-field').hidden = name !== 'mysql';
}

function keepDraft() {
  drafts[source] = { path: $('path').value, sql: $('sql').value };
}

/* The body as text: parameters go in as they were typed, with all their digits. */
function requestBody(queryId) {
  const request = {
    sql: $('sql').value,
    query_id: queryId,
    row_limit: Number($('row-limit').value),
    timeout_ms: Number($('timeout').value) * 1000,
    numbers: TELLS_SOURCE ? 'native' : 'string',
    tags: ['console'],
  };
  const params = $('params').value.trim();
  if (source === 'mysql') request.engine = $('engine').value;
  else if ($('path').value.trim() !== '') request.path = $('path').value.trim();
  const body = JSON.stringify(request);
  return params === '' ? body : `${body.slice(0, -1)},"params":${params}}`;
}

function checkParams() {
  const text = $('params').value.trim();
  let message = '';
  try {
    const value = text === '' ? {} : JSON.parse(text);
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
      message = 'An object, as {"age": 40}';
    }
  } catch (error) {
    message = `Not JSON: ${error.message}`;
  }
  $('params').setCustomValidity(message);
}

/* ---- running ---- */

let running = null; /* the id of the statement under way */

/* `verb` is query or explain; `show` takes the parsed answer. */
async function ask(verb, show) {
  const queryId = newUuid();
  const sql = $('sql').value;
  const begin = performance.now();

  running = queryId;
  showRunning(true);
  try {
    const response = await call(`/api/spark/${verb}/${source}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: `${RESULT_TYPE}, application/json;q=0.5` },
      body: requestBody(queryId),
    });
    const body = await response.text();
    const tookMs = performance.now() - begin;
    if (response.ok) show(parseExactly(body), response.headers, tookMs);
    else showProblem(readProblem(response, body), sql, tookMs);
  } catch (error) {
    const detail = `The service can't be reached, or its answer broke off: ${error.message}`;
    showProblem({ title: 'No answer', detail }, sql, performance.now() - begin);
  } finally {
    running = null;
    showRunning(false);
    pollQueries();
  }
}

function readProblem(response, body) {
  try {
    return JSON.parse(body);
  } catch {
    return { title: response.statusText, status: response.status, detail: body };
  }
}

async function cancel(queryId) {
  try {
    const response = await call(`/api/spark/queries/${encodeURIComponent(queryId)}`, { method: 'DELETE' });
    if (!response.ok) $('queries-note').textContent = readProblem(response, await response.text()).detail;
  } catch (error) {
    $('queries-note').textContent = `Not cancelled: ${error.message}`;
  }
  pollQueries();
}

function showRunning(isRunning) {
  $('run').disabled = isRunning;
  $('explain').disabled = isRunning;
  $('cancel').disabled = !isRunning;
  document.body.classList.toggle('running', isRunning);
  if (isRunning) {
    $('summary').textContent = 'Running …';
    $('timing').hidden = true;
    $('problem').hidden = true;
  }
}

/* ---- the result ---- */

/* Server-Timing: queue;dur=0.1, plan;dur=3 */
function readTiming(headers) {
  const timing = {};
  const spans = (headers.get('Server-Timing') ?? '').matchAll(/([a-z]+);dur=([0-9.]+)/g);
  for (const [, name, ms] of spans) timing[name] = Number(ms);
  return timing;
}

function showTiming(timing, tookMs) {
  const spans = Object.entries({ ...timing, total: tookMs })
    .map(([name, ms]) => element('div', {}, element('dt', {}, name), element('dd', {}, formatMs(ms))));
  $('timing').replaceChildren(...spans);
  $('timing').hidden = false;
}

function headerCell({ name, type }) {
  return element('th', { scope: 'col', class: isNumeric(type) ? 'number' : '' }, name, element('span', { class: 'type' }, type));
}

function cell(value, type) {
  const { text, kind } = describeCell(value, type);
  const made = element('td', { class: kind }, text);
  if (text.length > 60) made.title = text;
  return made;
}

function table(schema, rows) {
  const body = element('tbody');
  rows.forEach((row, index) => {
    body.append(element('tr', {}, element('th', { scope: 'row' }, String(index + 1)),
      ...schema.map(({ name, type }) => cell(row[name], type))));
  });
  return element('table', {},
    element('thead', {}, element('tr', {}, element('td', { class: 'corner' }), ...schema.map(headerCell))), body);
}

function showResult(result, headers, tookMs) {
  const count = result.data.length;
  const parts = [plural(count, 'row'), headers.get('Query-Engine')];

  $('problem').hidden = true;
  $('summary').textContent = parts.filter(Boolean).join(' · ');
  if (result.truncated) $('summary').append(' ', element('span', { class: 'badge' }, 'cut at the row limit'));
  showTiming(readTiming(headers), tookMs);
  $('rows').replaceChildren(table(result.schema, result.data));
  $('rows').hidden = false;
  $('rows').scrollTo(0, 0);
}

function planFacts(plan) {
  const facts = [];
  const add = (name, value) => facts.push(element('div', {}, element('dt', {}, name), element('dd', {}, value)));
  const share = (part, whole) => `${jsonText(plan[part])} of ${jsonText(plan[whole])}`;

  for (const filter of plan.pushed_filters ?? []) add('pushed', filter);
  for (const { filter, reason } of plan.unpushed_filters ?? []) add('not pushed', `${filter}: ${reason}`);
  if (plan.files_read !== undefined) add('files', share('files_read', 'files_total'));
  if (plan.bytes_read !== undefined) add('bytes', share('bytes_read', 'bytes_total'));
  return facts;
}

function showPlan(plan, headers, tookMs) {
  $('problem').hidden = true;
  $('summary').textContent = 'Plan; nothing was run';
  showTiming({}, tookMs);
  $('rows').replaceChildren(element('dl', { class: 'facts plan-facts' }, ...planFacts(plan)),
    element('pre', { class: 'plan' }, plan.plan));
  $('rows').hidden = false;
  $('rows').scrollTo(0, 0);
}

/* The line of the statement, with the column marked. */
function place(sql, line, column) {
  const text = sql.split('\n')[line - 1];
  if (text === undefined || !column || column > text.length + 1) return null;
  const rest = text.slice(column - 1);
  const length = (rest.match(/^[\p{L}\p{N}_.]+/u) ?? [rest.slice(0, 1) || ' '])[0].length;
  return element('pre', { class: 'place' },
    element('span', { class: 'line' }, `${line} `), text.slice(0, column - 1),
    element('mark', {}, rest.slice(0, length) || ' '), rest.slice(length));
}

function showProblem(problem, sql, tookMs) {
  const facts = ['code', 'status', 'sqlstate', 'error_class', 'line', 'column', 'retryable', 'query_id']
    .filter((key) => problem[key] !== undefined)
    .map((key) => element('div', {}, element('dt', {}, key), element('dd', {}, String(problem[key]))));
  const where = problem.line ? place(sql, problem.line, problem.column) : null;

  $('summary').textContent = `${problem.title ?? 'Failed'} after ${formatMs(tookMs)}`;
  $('timing').hidden = true;
  $('problem').replaceChildren(element('p', {}, problem.detail ?? problem.title ?? ''), ...(where ? [where] : []),
    element('dl', { class: 'facts' }, ...facts));
  $('problem').hidden = false;
  $('rows').hidden = true;
}

/* ---- what runs ---- */

const shown = new Map(); /* query_id -> its list item's parts */

function newItem(query) {
  const state = element('span', { class: 'state' });
  const name = element('code', {}, query.sql.replace(/\s+/g, ' '));
  const facts = element('span', { class: 'facts' });
  const button = element('button', { type: 'button' }, 'Cancel');
  button.setAttribute('aria-label', `Cancel query ${query.query_id}`);
  button.addEventListener('click', () => { button.disabled = true; cancel(query.query_id); });
  const item = element('li', {}, state, name, button, facts);
  name.title = query.sql;
  return { item, state, facts, button };
}

function elapsedMs(query) {
  return (query.ended_at ? Date.parse(query.ended_at) : Date.now()) - Date.parse(query.queued_at);
}

function updateItem({ item, state, facts, button }, query) {
  const parts = [query.source, formatMs(Math.max(0, elapsedMs(query)))];
  if (query.rows > 0) parts.push(plural(query.rows, 'row'));
  if (query.progress && LIVE_STATES.has(query.state)) {
    parts.push(`${query.progress.tasks_done} of ${plural(query.progress.tasks, 'task')}`);
  }
  if (query.error) parts.push(query.error.code);
  state.textContent = query.state.toLowerCase().replace('_', ' ');
  item.className = query.state.toLowerCase();
  item.dataset.queryId = query.query_id;
  facts.textContent = parts.join(' · ');
  button.hidden = query.state !== 'QUEUED' && query.state !== 'RUNNING';
  if (query.state === 'CANCELLING') button.disabled = true;
}

function showQueries(queries) {
  const live = queries.filter(({ state }) => LIVE_STATES.has(state));
  const known = new Set(queries.map(({ query_id: id }) => id));

  for (const [id, { item }] of shown) {
    if (known.has(id)) continue;
    item.remove();
    shown.delete(id);
  }
  queries.forEach((query, index) => {
    if (!shown.has(query.query_id)) shown.set(query.query_id, newItem(query));
    const parts = shown.get(query.query_id);
    updateItem(parts, query);
    const there = $('queries').children[index];
    if (there !== parts.item) $('queries').insertBefore(parts.item, there ?? null);
  });
  $('queries-note').textContent = live.length > 0 ? `${live.length} under way` : 'none under way';
}

async function pollQueries() {
  if (document.hidden || lacksToken) return;
  try {
    const response = await call(`/api/spark/queries?limit=${QUERIES_SHOWN}`);
    if (response.ok) showQueries((await response.json()).queries);
  } catch {
    $('queries-note').textContent = 'no answer';
  }
}

/* ---- health ---- */

async function pollHealth() {
  if (document.hidden) return;
  try {
    const { status, slots, queue } = await (await fetch('/api/spark/health')).json();
    $('health').dataset.status = status;
    $('health-text').textContent = `${status} · ${slots.busy} of ${slots.total} slots busy · ${queue.length} waiting`;
  } catch {
    $('health').dataset.status = 'gone';
    $('health-text').textContent = 'no answer';
  }
}

/* ---- start ---- */

function listen() {
  $('query').addEventListener('submit', (event) => {
    event.preventDefault();
    if (running === null) ask('query', showResult);
  });
  $('query').addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      $('query').requestSubmit();
    }
  });
  for (const radio of document.getElementsByName('source')) {
    radio.addEventListener('change', () => { keepDraft(); showSource(radio.value); });
  }
  $('explain').addEventListener('click', () => {
    if (running === null && $('query').reportValidity()) ask('explain', showPlan);
  });
  $('params').addEventListener('input', checkParams);
  $('cancel').addEventListener('click', () => { if (running !== null) cancel(running); });
  $('token-form').addEventListener('submit', (event) => { event.preventDefault(); useToken(); });
  $('forget').addEventListener('click', () => { sessionStorage.removeItem(TOKEN_KEY); location.reload(); });
  document.addEventListener('visibilitychange', () => { pollQueries(); pollHealth(); });
}

const NO_FACTS = { version: '', spark_line: '', roots: ['/data'], samples: {}, mysql: true };

async function loadFacts() {
  let facts = NO_FACTS;
  try {
    const response = await call('/console.json');
    if (response.ok) facts = await response.json();
    else if (response.status !== 401) $('summary').textContent = readProblem(response, await response.text()).detail;
  } catch (error) {
    $('summary').textContent = `No facts from the service: ${error.message}`;
  }
  fillDrafts(facts);
  /* A link can't send a header. */
  $('metrics').hidden = lacksToken || sessionStorage.getItem(TOKEN_KEY) !== null;
  $('forget').hidden = sessionStorage.getItem(TOKEN_KEY) === null;
}

async function start() {
  listen();
  await loadFacts();
  showSource(source);
  pollHealth();
  pollQueries();
  setInterval(pollQueries, POLL_QUERIES_MS);
  setInterval(pollHealth, POLL_HEALTH_MS);
}

start();
