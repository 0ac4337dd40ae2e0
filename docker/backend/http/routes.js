'use strict';

const { parseMode } = require('../services/modes');
const { badInput } = require('../services/problem');
const { parseUser, parseUserId } = require('../services/userInput');
const { parseUsersQuery } = require('../services/usersQuery');
const { sendJson } = require('./reply');
const { readJsonBody } = require('./requestBody');

/**
 * The API: path → method → handler. A handler gets `{request, response, url, id, signal}`; `signal`
 * fires when the browser leaves.
 * @param {{users: import('../services/users').Users, health: import('../services/health').Health}}
 *   services
 */
function apiRoutes({ users, health }) {
  return [
    { path: /^\/api\/health$/, methods: { GET: getHealth } },
    { path: /^\/api\/mode$/, methods: { GET: getMode, PUT: putMode } },
    { path: /^\/api\/users$/, methods: { GET: listUsers, POST: createUser } },
    {
      path: /^\/api\/users\/(?<id>[^/]+)$/,
      methods: { GET: getUser, PUT: updateUser, DELETE: deleteUser },
    },
  ];

  async function getHealth({ response }) {
    const facts = await health.check();
    sendJson(response, facts.status === 'unhealthy' ? 503 : 200, facts);
  }

  function getMode({ response }) {
    sendJson(response, 200, users.describe());
  }

  async function putMode({ request, response }) {
    const mode = parseMode((await readJsonBody(request))?.mode);
    if (!mode) throw badInput('mode', 'must be SparkSession or Direct Access');
    users.mode = mode;
    sendJson(response, 200, users.describe());
  }

  async function listUsers({ response, url, signal }) {
    const query = parseUsersQuery(url.searchParams);
    const source = url.searchParams.get('source') ?? 'mysql';
    const begin = performance.now();
    const page = await users.listUsers(source, query, { signal });
    const timing = { total_ms: performance.now() - begin, ...page.timing };
    const answer = {
      source,
      mode: page.mode,
      rows: page.rows,
      has_more: page.hasMore,
      timing: roundAll(timing),
      engine: page.engine,
      query_id: page.queryId,
      notice: page.notice,
    };
    sendJson(response, 200, answer, { 'Server-Timing': `total;dur=${timing.total_ms.toFixed(1)}` });
  }

  async function getUser({ response, id }) {
    sendJson(response, 200, await users.getUser(parseUserId(id)));
  }

  async function createUser({ request, response }) {
    const user = await users.createUser(parseUser(await readJsonBody(request)));
    sendJson(response, 201, user, { Location: `/api/users/${user.id}` });
  }

  async function updateUser({ request, response, id }) {
    const user = parseUser(await readJsonBody(request));
    sendJson(response, 200, await users.updateUser(parseUserId(id), user));
  }

  async function deleteUser({ response, id }) {
    await users.deleteUser(parseUserId(id));
    response.writeHead(204).end();
  }
}

function roundAll(timing) {
  return Object.fromEntries(
    Object.entries(timing).map(([name, ms]) => [name, Math.round(ms * 10) / 10]),
  );
}

module.exports = { apiRoutes };
