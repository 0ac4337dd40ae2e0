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
 * @param {string | null} value
 * @returns {number | undefined} milliseconds from now
 */
function parseRetryAfter(value) {
  if (value === null) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/**
 * Server-Timing (W3C): `queue;dur=0.1, plan;dur=12.5`.
 * @param {string | null} value
 * @returns {Record<string, number> | null} milliseconds by name; null: the answer doesn't say
 */
function parseServerTiming(value) {
  if (!value) return null;
  const timing = {};
  for (const [, name, duration] of value.matchAll(/([\w-]+)\s*;\s*dur=([\d.]+)/g)) {
    timing[name] = Number(duration);
  }
  return timing;
}

/** @param {string | null} value of Result-Truncated */
function parseTruncated(value) {
  return value === null ? null : value === 'true';
}

/**
 * The error that an answer other than 200 stands for.
 * @param {import('node-fetch').Response} response
 * @param {string} text its body
 * @param {string} [queryId] for when the answer names none
 */
function problemError(response, text, queryId) {
  const problem = parseJson(text);
  const more = {
    status: response.status,
    queryId: response.headers.get('query-id') ?? queryId,
    retryAfterMs: parseRetryAfter(response.headers.get('retry-after')),
  };
  if (typeof problem?.code !== 'string') {
    return new SparkServiceError('bad_answer', `status ${response.status} without a problem`, more);
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
 * @param {import('node-fetch').Response} response
 * @param {string} text its body: a JSON array of rows
 * @param {string} queryId
 */
function queryResult(response, text, queryId) {
  const rows = parseJson(text);
  if (!Array.isArray(rows)) {
    throw new SparkServiceError('bad_answer', 'the answer is not a JSON array of rows', {
      status: response.status,
      queryId,
    });
  }
  return {
    rows,
    queryId: response.headers.get('query-id') ?? queryId,
    engine: response.headers.get('query-engine'),
    truncated: parseTruncated(response.headers.get('result-truncated')),
    serverTiming: parseServerTiming(response.headers.get('server-timing')),
  };
}

module.exports = { parseJson, parseRetryAfter, parseServerTiming, problemError, queryResult };
