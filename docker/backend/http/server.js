'use strict';

const http = require('node:http');

const { Problem, badInput } = require('../services/problem');
const { sendProblem, toProblem } = require('./reply');
const { apiRoutes } = require('./routes');
const { loadStaticFiles, sendStaticFile } = require('./staticFiles');

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const LARGEST_HEADERS = 16 * 1024;
const SAFE_METHODS = new Set(['GET', 'HEAD']);

/**
 * The HTTP server: API and page. Plain node:http: eight routes don't need a framework.
 * @param {object} options
 * @param {import('../services/users').Users} options.users
 * @param {import('../services/health').Health} options.health
 * @param {string} options.publicFolder the page's files
 * @param {import('../log').Log} options.log
 * @returns {http.Server} not listening yet
 */
function createServer({ users, health, publicFolder, log }) {
  const routes = apiRoutes({ users, health });
  const files = loadStaticFiles(publicFolder);

  const server = http.createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      maxHeaderSize: LARGEST_HEADERS,
    },
    async (request, response) => {
      const begin = performance.now();
      let problem;
      // A server that stops keeps no connection for a next request.
      response.once('finish', () => server.listening || request.socket.end());
      try {
        await handle(request, response);
      } catch (error) {
        problem = toProblem(error);
        refuse(request, response, problem);
      }
      logRequest(log, request, response, problem, performance.now() - begin);
    },
  );
  return server;

  async function handle(request, response) {
    const url = parseTarget(request.url);
    const file = Object.hasOwn(files, url.pathname) ? files[url.pathname] : undefined;
    if (file) {
      if (!SAFE_METHODS.has(request.method)) throw methodNotAllowed(SAFE_METHODS);
      return sendStaticFile(request, response, file);
    }
    for (const { path, methods } of routes) {
      const match = path.exec(url.pathname);
      if (!match) continue;
      if (!Object.hasOwn(methods, request.method)) throw methodNotAllowed(Object.keys(methods));
      checkOrigin(request);
      const signal = signalOfLeaving(response);
      return methods[request.method]({ request, response, url, id: match.groups?.id, signal });
    }
    throw new Problem(404, 'not_found', 'there is no such page');
  }
}

function parseTarget(target) {
  try {
    return new URL(target, 'http://backend');
  } catch {
    throw badInput('target', 'is not a valid address');
  }
}

function methodNotAllowed(methods) {
  return new Problem(405, 'method_not_allowed', 'the route has other methods', {
    allow: [...methods].join(', '),
  });
}

/** A write that a page of another site sends through a user's browser is refused. */
function checkOrigin({ method, headers: { origin, host } }) {
  if (
    SAFE_METHODS.has(method) ||
    origin === undefined ||
    origin.replace(/^https?:\/\//, '') === host
  )
    return;
  throw new Problem(403, 'forbidden', 'writes come from pages of this backend only');
}

/** @returns {AbortSignal} fires when the connection closes before the answer is out */
function signalOfLeaving(response) {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}

function refuse(request, response, problem) {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const headers = {};
  if (problem.status === 405) headers.Allow = problem.more.allow;
  // An unread body would be taken for the next request.
  if (!request.complete) headers.Connection = 'close';
  sendProblem(response, problem, headers);
}

function logRequest(log, request, response, problem, ms) {
  const facts = {
    method: request.method,
    target: request.url,
    status: problem?.status ?? response.statusCode,
    ms: Math.round(ms),
    code: problem?.code,
    query_id: problem?.more.query_id,
    detail: problem?.detail,
  };
  if (problem?.status === 500)
    log.error('request failed', { ...facts, stack: problem.cause?.stack });
  else if (problem && problem.status >= 500) log.warn('request failed', facts);
  else if (request.url === '/api/health') log.debug('request', facts);
  else log.info('request', facts);
}

module.exports = { createServer };
