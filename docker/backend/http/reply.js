'use strict';

const { SparkServiceError } = require('../clients/sparkServiceError');
const { Problem } = require('../services/problem');

// The page's scripts, styles and requests are the backend's own; nothing inline, nothing framed.
const SAFE_HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

// What the client found out by itself, without an answer of the service.
const STATUS_OF_CODE = {
  unreachable: 502,
  connection_lost: 502,
  client_timeout: 504,
  aborted: 499,
};

/**
 * @param {import('node:http').ServerResponse} response
 * @param {number} status
 * @param {object} body
 * @param {Record<string, string>} [headers]
 */
function sendJson(response, status, body, headers = {}) {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': bytes.length,
    'Cache-Control': 'no-store',
    ...SAFE_HEADERS,
    ...headers,
  });
  response.end(bytes);
}

/** Any error as the problem it is answered with; one of our own mistakes tells nothing of itself. */
function toProblem(error) {
  if (error instanceof Problem) return error;
  if (error instanceof SparkServiceError) return sparkProblem(error);
  return new Problem(500, 'internal_error', 'the backend failed; its log says more', {}, error);
}

/** A refusal by the service (4xx) isn't the browser's fault: 502, with the service's own status. */
function sparkProblem(error) {
  const { code, detail, queryId, sqlstate, errorClass } = error;
  const status = STATUS_OF_CODE[code] ?? (error.status >= 500 ? error.status : 502);
  return new Problem(
    status,
    code,
    detail,
    {
      query_id: queryId,
      upstream_status: error.status,
      sqlstate,
      error_class: errorClass,
    },
    error,
  );
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {Problem} problem
 * @param {Record<string, string>} [headers]
 */
function sendProblem(response, problem, headers = {}) {
  sendJson(response, problem.status, problem, {
    'Content-Type': 'application/problem+json',
    ...headers,
  });
}

module.exports = { SAFE_HEADERS, sendJson, sendProblem, toProblem };
