'use strict';

const { SparkServiceError } = require('./sparkServiceError');

/** @returns {unknown} the value, or undefined when the text is no JSON */
function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Retry-After (RFC 9110 §10.2.3): seconds, or a date.
 * @param {string | undefined} value
 * @returns {number | undefined} milliseconds from now
 */
function parseRetryAfter(value) {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/**
 * Server-Timing (W3C): `queue;dur=0.1, plan;dur=12.5`.
 * @param {string} [value]
 * @returns {Record<string, number>} milliseconds by name
 */
function parseServerTiming(value = '') {
  const timing = {};
  for (const [, name, duration] of value.matchAll(/([\w-]+)\s*;\s*dur=([\d.]+)/g)) {
    timing[name] = Number(duration);
  }
  return timing;
}

/** @typedef {{status: number, headers: Record<string, string>, text: string}} Answer */

/**
 * The error that an answer other than 200 stands for.
 * @param {Answer} answer
 * @param {string} [queryId] for when the answer names none
 */
function problemError({ status, headers, text }, queryId) {
  const problem = parseJson(text);
  const more = {
    status,
    queryId: headers['query-id'] ?? queryId,
    retryAfterMs: parseRetryAfter(headers['retry-after']),
  };
  if (typeof problem?.code !== 'string') {
    return new SparkServiceError('bad_answer', `status ${status} without a problem`, more);
  }
  return new SparkServiceError(problem.code, problem.detail ?? problem.title ?? '', {
    ...more,
    queryId: problem.query_id ?? more.queryId,
    sqlstate: problem.sqlstate,
    errorClass: problem.error_class,
  });
}

/**
 * The result that a 200 stands for.
 * @param {Answer} answer a JSON array of rows
 * @param {string} queryId for when the answer names none
 * @throws {SparkServiceError} bad_answer
 */
function queryResult({ status, headers, text }, queryId) {
  const rows = parseJson(text);
  if (!Array.isArray(rows)) {
    throw new SparkServiceError('bad_answer', 'the answer is not a JSON array of rows', {
      status,
      queryId,
    });
  }
  return {
    rows,
    queryId: headers['query-id'] ?? queryId,
    engine: headers['query-engine'],
    truncated: headers['result-truncated'] === 'true',
    serverTiming: parseServerTiming(headers['server-timing']),
  };
}

module.exports = { parseJson, parseRetryAfter, parseServerTiming, problemError, queryResult };
