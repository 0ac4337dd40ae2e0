import { ApiError, call, readHealth } from './api.js';
import { openEditor } from './editor.js';
import * as view from './view.js';

const SOURCES = ['mysql', 'parquet', 'delta', 'iceberg'];
const DIRECT = 'Direct Access';
const MODES = ['SparkSession', DIRECT];
const HEALTH_INTERVAL_MS = 5_000;
const RUNS_SHOWN = 8;
// The backend can serve MySQL without spark-service: worth offering after these.
const SPARK_IS_AWAY = new Set([
  'unreachable',
  'connection_lost',
  'client_timeout',
  'starting',
  'draining',
]);

const state = {
  mode: null,
  modes: [],
  sources: [],
  source: 'mysql',
  query: { sort: 'id', order: 'asc', limit: '20', offset: 0, age_min: '', age_max: '' },
  runs: [],
};
let underWay = null;

/** Reads one page; a read still under way is given up, which cancels its query in the service. */
async function read() {
  underWay?.abort();
  const controller = new AbortController();
  underWay = controller;
  view.drawBusy(true);
  const { source, mode } = state;
  const begin = performance.now();
  try {
    const parameters = new URLSearchParams({ source, ...state.query });
    const { body, ms } = await call('GET', `/api/users?${parameters}`, {
      signal: controller.signal,
    });
    showPage(body, ms);
  } catch (error) {
    if (controller !== underWay) return;
    const problem = problemOf(error);
    addRun({ mode, source, ms: performance.now() - begin, code: problem.code });
    const action =
      mode !== DIRECT && SPARK_IS_AWAY.has(problem.code)
        ? { label: `Switch to ${DIRECT}`, run: () => switchMode(DIRECT) }
        : undefined;
    view.clearRows();
    view.drawMessage(problem, { action });
  } finally {
    if (controller === underWay) view.drawBusy(false);
  }
}

function problemOf(error) {
  if (error instanceof ApiError) return error.problem;
  if (error.name === 'AbortError') return { code: 'cancelled', detail: 'you cancelled this read' };
  throw error;
}

function showPage({ rows, has_more: hasMore, timing, notice, mode, source }, ms) {
  const onEdit = source === 'mysql' ? (row) => openEditor(row, read) : undefined;
  view.drawRows(rows, onEdit);
  view.drawPager({ offset: state.query.offset, count: rows.length, hasMore });
  view.drawTiming({ round_trip_ms: ms, ...timing });
  view.drawMessage(notice ?? null, { kind: 'notice' });
  addRun({ mode, source, ms, rows: rows.length });
}

function addRun(run) {
  state.runs = [{ at: new Date(), ...run }, ...state.runs].slice(0, RUNS_SHOWN);
  view.drawRuns(state.runs);
}

async function switchMode(mode) {
  try {
    const { body } = await call('PUT', '/api/mode', { body: { mode } });
    takeMode(body);
  } catch (error) {
    view.drawMessage(problemOf(error));
    return;
  }
  refreshHealth();
  restart();
}

function takeMode({ mode, modes, sources }) {
  Object.assign(state, { mode, modes, sources });
  if (!sources.includes(state.source)) state.source = 'mysql';
}

/** Draws the choices anew and reads from the first page. */
function restart() {
  state.query.offset = 0;
  drawChoices();
  return read();
}

function drawChoices() {
  view.drawChoice('mode', MODES, state.mode, state.modes, switchMode);
  view.drawChoice('source', SOURCES, state.source, state.sources, (source) => {
    state.source = source;
    restart();
  });
  view.drawColumns(state.query, sortBy);
  view.drawAdd(state.source);
}

function sortBy(column) {
  const { sort, order } = state.query;
  state.query.sort = column;
  state.query.order = sort === column && order === 'asc' ? 'desc' : 'asc';
  restart();
}

function turnPage(direction) {
  state.query.offset = Math.max(0, state.query.offset + direction * Number(state.query.limit));
  read();
}

async function refreshHealth() {
  try {
    const health = await readHealth();
    view.drawHealth(health);
    if (health.mode !== state.mode) await followMode();
  } catch {
    view.drawHealth(null);
  }
}

/** Somebody else switched the backend's mode. */
async function followMode() {
  takeMode((await call('GET', '/api/mode')).body);
  drawChoices();
}

function wire() {
  const on = (id, event, run) => document.getElementById(id).addEventListener(event, run);
  on('filter', 'submit', (event) => {
    event.preventDefault();
    Object.assign(state.query, Object.fromEntries(new FormData(event.target)));
    restart();
  });
  on('add', 'click', () => openEditor(null, read));
  on('previous', 'click', () => turnPage(-1));
  on('next', 'click', () => turnPage(1));
  on('cancel', 'click', () => underWay?.abort());
  document.addEventListener('visibilitychange', () => document.hidden || refreshHealth());
}

async function start() {
  wire();
  try {
    takeMode((await call('GET', '/api/mode')).body);
  } catch (error) {
    view.drawMessage(problemOf(error));
    return;
  }
  refreshHealth();
  setInterval(() => document.hidden || refreshHealth(), HEALTH_INTERVAL_MS);
  await restart();
}

start();
