// Everything that draws. Data only ever becomes text nodes: no HTML is made from it.

const COLUMNS = {
  id: 'Id',
  name: 'Name',
  age: 'Age',
  city: 'City',
  created_at: 'Created (UTC)',
  balance: 'Balance',
};
const NUMERIC = new Set(['id', 'age', 'balance']);
const TIMES = {
  round_trip_ms: 'Round trip',
  total_ms: 'Backend',
  service_ms: 'spark-service',
  queue_ms: 'Queue',
  plan_ms: 'Plan',
  run_ms: 'Run',
  write_ms: 'Write',
  mysql_ms: 'MySQL',
};
const LABELS = { mysql: 'MySQL', parquet: 'Parquet', delta: 'Delta', iceberg: 'Iceberg' };

const byId = (id) => document.getElementById(id);

/**
 * @param {string} tag
 * @param {object} [properties] of the element
 * @param {...(Node | string)} children
 */
function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

/** @param {number} ms */
const milliseconds = (ms) => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;

/** A row of buttons of which one is chosen. */
export function drawChoice(id, values, chosen, enabled, onChoose) {
  byId(id).replaceChildren(
    ...values.map((value) => {
      const button = element(
        'button',
        {
          type: 'button',
          disabled: !enabled.includes(value),
          onclick: () => onChoose(value),
        },
        LABELS[value] ?? value,
      );
      button.setAttribute('role', 'radio');
      button.setAttribute('aria-checked', String(value === chosen));
      button.dataset.value = value;
      return button;
    }),
  );
}

export function drawColumns({ sort, order }, onSort) {
  byId('columns').replaceChildren(
    ...Object.entries(COLUMNS).map(([name, label]) => {
      const arrow = name === sort ? (order === 'asc' ? ' ↑' : ' ↓') : '';
      const button = element(
        'button',
        { type: 'button', onclick: () => onSort(name) },
        label + arrow,
      );
      const cell = element('th', { className: NUMERIC.has(name) ? 'number' : '' }, button);
      cell.scope = 'col';
      cell.setAttribute('aria-sort', name !== sort ? 'none' : `${order}ending`);
      return cell;
    }),
    element('th', { className: 'action' }),
  );
}

/** @param {(row: object) => void} [onEdit] left out: rows can't be edited */
export function drawRows(rows, onEdit) {
  byId('rows').replaceChildren(
    ...rows.map((row) => {
      const cells = Object.keys(COLUMNS).map((name) => drawCell(name, row[name]));
      const action = element('td', { className: 'action' });
      if (onEdit)
        action.append(element('button', { type: 'button', onclick: () => onEdit(row) }, 'Edit'));
      return element('tr', {}, ...cells, action);
    }),
  );
  byId('empty').hidden = rows.length > 0;
}

/** Leaves nothing of the last read on show: it may have been of another source. */
export function clearRows() {
  byId('rows').replaceChildren();
  byId('timing').replaceChildren();
  byId('empty').hidden = true;
  drawPager({ offset: 0, count: 0, hasMore: false });
}

function drawCell(name, value) {
  const cell = element('td', { className: NUMERIC.has(name) ? 'number' : '' });
  if (value === null) cell.append(element('span', { className: 'null' }, 'null'));
  else if (name === 'created_at') cell.append(readableTime(value));
  else cell.append(String(value));
  return cell;
}

/** `2024-01-31T09:57:06.120000Z` → `2024-01-31 09:57:06.12` */
const readableTime = (text) => text.replace('T', ' ').replace(/\.?0*Z$/, '');

/** Only MySQL can be written. */
export function drawAdd(source) {
  byId('add').disabled = source !== 'mysql';
  byId('add').title = source === 'mysql' ? '' : `Users are added to ${LABELS.mysql} only`;
}

export function drawPager({ offset, count, hasMore }) {
  byId('page').textContent = count ? `${offset + 1}–${offset + count}` : '–';
  byId('previous').disabled = offset === 0;
  byId('next').disabled = !hasMore;
}

export function drawBusy(busy) {
  byId('busy').hidden = !busy;
  document.querySelector('.sheet').classList.toggle('reading', busy);
}

/** Times of the last read, in the order of TIMES. */
export function drawTiming(timing) {
  byId('timing').replaceChildren(
    ...Object.entries(TIMES)
      .filter(([name]) => timing[name] !== undefined)
      .map(([name, label]) =>
        element('div', {}, element('dt', {}, label), element('dd', {}, milliseconds(timing[name]))),
      ),
  );
}

/** The last reads, the newest first, with bars against the slowest of them. */
export function drawRuns(runs) {
  const slowest = Math.max(...runs.map(({ ms }) => ms), 1);
  byId('runs').replaceChildren(
    ...runs.map(({ at, mode, source, rows, ms, code }) => {
      const bar = element('span', { className: `bar${code ? ' failed' : ''}` });
      bar.style.width = `${Math.max(1, (ms / slowest) * 100)}%`;
      return element(
        'tr',
        {},
        element('td', {}, at.toLocaleTimeString('en-GB')),
        element('td', {}, mode),
        element('td', {}, LABELS[source]),
        element('td', { className: 'number' }, code ?? String(rows)),
        element(
          'td',
          {},
          element(
            'div',
            { className: 'bar-line' },
            element('span', { className: 'track' }, bar),
            element('span', { className: 'bar-time' }, milliseconds(ms)),
          ),
        ),
      );
    }),
  );
}

/**
 * A problem or a notice, as it came.
 * @param {object | null} problem null: nothing to say
 * @param {{kind?: 'error'|'notice', action?: {label: string, run: () => void}, into?: string}}
 *   [options]
 */
export function drawMessage(problem, { kind = 'error', action, into = 'message' } = {}) {
  const box = byId(into);
  box.hidden = problem === null;
  if (problem === null) return;
  box.className = `message ${kind}`;
  const facts = [
    ['status', problem.status],
    ['of spark-service', problem.upstream_status],
    ['SQLSTATE', problem.sqlstate],
    ['class', problem.error_class],
    ['query', problem.query_id],
  ].filter(([, value]) => value !== undefined && value !== null);
  box.replaceChildren(
    element('strong', {}, problem.code),
    element('span', {}, problem.detail),
    element('small', {}, facts.map(([name, value]) => `${name} ${value}`).join(' · ')),
  );
  if (action) box.append(element('button', { type: 'button', onclick: action.run }, action.label));
}

/** @param {object | null} health null: the backend itself doesn't answer */
export function drawHealth(health) {
  const status = health?.status ?? 'unreachable';
  byId('health').dataset.status = status;
  byId('health-text').textContent = health
    ? `${status} · spark-service ${describe(health.spark_service)} · MySQL ${describe(health.mysql)}`
    : 'the backend does not answer';
}

function describe({ status, spark_version: version, latency_ms: ms }) {
  if (status === 'not_configured') return 'not configured';
  return [version, status, ms === undefined ? '' : `(${milliseconds(ms)})`]
    .filter(Boolean)
    .join(' ');
}
