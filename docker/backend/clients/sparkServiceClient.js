'use strict';

const http = require('node:http');
const https = require('node:https');
const { randomUUID } = require('node:crypto');

const { parseJson, problemError, queryResult } = require('./answer');
const { Deadline } = require('./deadline');
const { exchange } = require('./exchange');
const { SparkServiceError } = require('./sparkServiceError');

const DEFAULTS = {
  timeoutMs: 28_000,
  deadlineMs: 30_000,
  maxRetries: 3,
  maxAnswerBytes: 64 * 1024 * 1024,
};
const HEALTH_TIMEOUT_MS = 2_000;

// Below the 90 s after which the service closes an idle connection: it must never be the service
// that closes one while we send on it.
const IDLE_SOCKET_MS = 30_000;

// System errors that mean: no connection, so nothing was asked.
const NO_CONNECTION = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
]);

/** Options of a query → fields of the request body. */
const FIELDS = {
  params: 'params',
  table: 'table',
  asOf: 'as_of',
  queueTimeoutMs: 'queue_timeout_ms',
  rowLimit: 'row_limit',
  byteLimit: 'byte_limit',
  tags: 'tags',
  cache: 'cache',
  numbers: 'numbers',
};

/**
 * @typedef {object} QueryOptions
 * @property {Record<string, unknown>} [params] bound as `:name`; not on the mysql endpoint yet
 * @property {AbortSignal} [signal] ends the wait and cancels the query in the service
 * @property {number} [timeoutMs] the service's own limit of the run time, milliseconds
 * @property {number} [deadlineMs] after that many milliseconds the client gives up, retries
 *   included
 * @property {number} [queueTimeoutMs] longest wait for a free worker of the service
 * @property {number} [rowLimit]
 * @property {number} [byteLimit]
 * @property {string} [queryId] a UUID; one is made when left out
 * @property {string[]} [tags]
 * @property {'use'|'refresh'|'off'} [cache]
 * @property {'string'|'native'} [numbers] default `string`: integers beyond ±(2^53−1) come as
 *   strings, as a JavaScript number can't hold them
 * @property {string} [table] delta, iceberg: a catalog table in place of a path
 * @property {object} [asOf] delta, iceberg: `{version}`, `{snapshot_id}` or `{timestamp}`
 */

/**
 * @typedef {object} QueryResult
 * @property {object[]} rows
 * @property {string} queryId
 * @property {string | null} engine
 * @property {boolean} truncated by rowLimit or byteLimit
 * @property {Record<string, number>} serverTiming milliseconds: queue, plan, run, write
 * @property {number} elapsedMs as seen from here, retries included
 * @property {number} attempts
 */

/**
 * Client of spark-service. Every method rejects with a SparkServiceError, or with a TypeError or
 * RangeError when it was called wrongly. Connections are kept alive; `close()` drops them.
 */
class SparkServiceClient {
  #baseUrl;
  #token;
  #limits;
  #agent;

  /**
   * @param {object} options
   * @param {string} options.baseUrl such as `http://spark-service:8000`
   * @param {string} [options.token] bearer token
   * @param {number} [options.timeoutMs] default 28000; sent as `timeout_ms`
   * @param {number} [options.deadlineMs] default 30000; more than timeoutMs, so that it is normally
   *   the service that ends a long query and says why
   * @param {number} [options.maxRetries] default 3; only after 503 with Retry-After
   * @param {number} [options.maxAnswerBytes] default 64 MiB
   */
  constructor({ baseUrl, token, ...limits }) {
    const url = new URL(baseUrl);
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw new TypeError(`not an http or https address: ${url.protocol}`);
    }
    this.#baseUrl = url.href.endsWith('/') ? url.href : `${url.href}/`;
    this.#token = token;
    this.#limits = { ...DEFAULTS, ...withoutUndefined(limits) };
    checkTimes(this.#limits.timeoutMs, this.#limits.deadlineMs);
    const { Agent } = url.protocol === 'https:' ? https : http;
    this.#agent = new Agent({ keepAlive: true, maxFreeSockets: 8, timeout: IDLE_SOCKET_MS });
  }

  /**
   * @param {string} sql MySQL's own SQL
   * @param {object} [config] default `{source: 'main'}`: the service's own MYSQL_* settings
   * @param {QueryOptions} [options]
   * @returns {Promise<QueryResult>}
   */
  executeMySQLQuery(sql, config = { source: 'main' }, options = {}) {
    return this.#query('mysql', { sql, config }, options);
  }

  /**
   * @param {string} path inside the service's container, such as `/data/parquet/users`
   * @param {string} sql reads the files as `parquet_data`
   * @param {QueryOptions} [options]
   * @returns {Promise<QueryResult>}
   */
  executeParquetQuery(path, sql, options = {}) {
    return this.#query('parquet', { path, sql }, options);
  }

  /**
   * @param {string | undefined} path such as `/data/delta/users`; undefined when the SQL itself
   *   says ``delta.`/data/delta/users` `` or options.table is given
   * @param {string} sql reads the table as `delta_data`
   * @param {QueryOptions} [options]
   * @returns {Promise<QueryResult>}
   */
  executeDeltaQuery(path, sql, options = {}) {
    return this.#query('delta', { path, sql }, options);
  }

  /**
   * @param {string | undefined} path such as `/data/iceberg/users`; undefined with options.table,
   *   or when the SQL names a table of the catalog
   * @param {string} sql reads the table as `iceberg_data`
   * @param {QueryOptions} [options]
   * @returns {Promise<QueryResult>}
   */
  executeIcebergQuery(path, sql, options = {}) {
    return this.#query('iceberg', { path, sql }, options);
  }

  /**
   * Asks `/api/spark/health`. A service that is starting, degraded or draining resolves too: look
   * at `status`.
   * @param {object} [options]
   * @param {number} [options.timeoutMs] default 2000
   * @param {AbortSignal} [options.signal]
   * @returns {Promise<{status: string, spark_version: string}>} the service's answer, as it is
   */
  async checkHealth({ timeoutMs = HEALTH_TIMEOUT_MS, signal } = {}) {
    const deadline = new Deadline(timeoutMs, signal);
    try {
      const answer = await this.#request('api/spark/health', { method: 'GET' }, deadline);
      const health = parseJson(answer.text);
      if (typeof health?.status !== 'string') throw problemError(answer);
      return health;
    } finally {
      deadline.done();
    }
  }

  /** Drops all connections; requests under way fail. */
  close() {
    this.#agent.destroy();
  }

  async #query(source, fields, options) {
    const { timeoutMs, deadlineMs } = this.#timesOf(options);
    const body = {
      ...fields,
      timeout_ms: timeoutMs,
      numbers: 'string',
      query_id: options.queryId ?? randomUUID(),
    };
    for (const [option, field] of Object.entries(FIELDS)) {
      if (options[option] !== undefined) body[field] = options[option];
    }
    const begin = performance.now();
    const deadline = new Deadline(deadlineMs, options.signal);
    // What is left for the service: the client itself keeps its reserve.
    const leftMs = () => deadline.remainingMs() - (deadlineMs - timeoutMs);
    try {
      for (let attempt = 1; ; attempt += 1) {
        try {
          const result = await this.#attempt(source, body, deadline);
          return { ...result, elapsedMs: performance.now() - begin, attempts: attempt };
        } catch (error) {
          const pauseMs = this.#pauseBeforeRetry(error, attempt, leftMs());
          if (pauseMs === undefined) throw error;
          await deadline.pause(pauseMs);
          body.timeout_ms = Math.max(1, Math.floor(leftMs()));
        }
      }
    } finally {
      deadline.done();
    }
  }

  /** @returns {number | undefined} milliseconds; undefined: the error is final */
  #pauseBeforeRetry(error, attempt, leftMs) {
    const { status, retryAfterMs } = error;
    if (status !== 503 || retryAfterMs === undefined || attempt > this.#limits.maxRetries) {
      return undefined;
    }
    // Callers refused together must not come back together.
    const pauseMs = retryAfterMs + Math.random() * 250;
    return pauseMs < leftMs ? pauseMs : undefined;
  }

  async #attempt(source, body, deadline) {
    const answer = await this.#request(
      `api/spark/query/${source}`,
      {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'Content-Type': 'application/json' },
      },
      deadline,
      body.query_id,
    );
    if (answer.status !== 200) throw problemError(answer, body.query_id);
    return queryResult(answer, body.query_id);
  }

  async #request(path, request, deadline, queryId) {
    const headers = { Accept: 'application/json', ...request.headers };
    if (this.#token) headers.Authorization = `Bearer ${this.#token}`;
    try {
      return await exchange(this.#baseUrl + path, {
        ...request,
        headers,
        agent: this.#agent,
        signal: deadline.signal,
        maxBytes: this.#limits.maxAnswerBytes,
      });
    } catch (error) {
      throw transportError(error, deadline, queryId);
    }
  }

  #timesOf({ timeoutMs, deadlineMs }) {
    const reserveMs = this.#limits.deadlineMs - this.#limits.timeoutMs;
    if (timeoutMs === undefined && deadlineMs === undefined) return this.#limits;
    if (deadlineMs === undefined) deadlineMs = timeoutMs + reserveMs;
    if (timeoutMs === undefined)
      timeoutMs = Math.min(this.#limits.timeoutMs, deadlineMs - reserveMs);
    checkTimes(timeoutMs, deadlineMs);
    return { timeoutMs, deadlineMs };
  }
}

function checkTimes(timeoutMs, deadlineMs) {
  if (!Number.isInteger(timeoutMs) || !Number.isInteger(deadlineMs) || timeoutMs < 1) {
    throw new RangeError('timeoutMs and deadlineMs must be whole milliseconds, at least 1');
  }
  if (deadlineMs <= timeoutMs) {
    throw new RangeError(`deadlineMs (${deadlineMs}) must be more than timeoutMs (${timeoutMs})`);
  }
}

function withoutUndefined(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

/** What the exchange threw, as a SparkServiceError. */
function transportError(cause, deadline, queryId) {
  const error = (code, detail) => new SparkServiceError(code, detail, { queryId, cause });
  if (deadline.abortedByCaller) return error('aborted', 'the caller ended the request');
  if (deadline.signal.aborted) return error('client_timeout', 'no answer before the deadline');
  if (cause.code === 'ANSWER_TOO_LARGE') return error('too_large', 'the answer is too large');
  if (NO_CONNECTION.has(cause.code)) return error('unreachable', `no connection (${cause.code})`);
  return error('connection_lost', `the connection broke (${cause.code ?? cause.message})`);
}

module.exports = { SparkServiceClient, SparkServiceError };
