'use strict';

const { badInput } = require('./problem');

const USER_COLUMNS = Object.freeze(['id', 'name', 'age', 'city', 'created_at', 'balance']);
const ORDERS = Object.freeze(['asc', 'desc']);
const KNOWN = new Set(['source', 'sort', 'order', 'limit', 'offset', 'age_min', 'age_max']);

/**
 * @typedef {object} UsersQuery
 * @property {string} sort one of USER_COLUMNS
 * @property {'asc'|'desc'} order
 * @property {number} limit rows of a page, 1 to 500
 * @property {number} offset
 * @property {number | null} ageMin
 * @property {number | null} ageMax
 */

/**
 * @param {URLSearchParams} parameters
 * @returns {UsersQuery}
 * @throws {import('./problem').Problem} 400 naming the parameter
 */
function parseUsersQuery(parameters) {
  for (const name of parameters.keys()) {
    if (!KNOWN.has(name)) throw badInput(name.slice(0, 40), 'is not a parameter of this route');
  }
  return {
    sort: readChoice(parameters, 'sort', 'id', USER_COLUMNS),
    order: readChoice(parameters, 'order', 'asc', ORDERS),
    limit: readInteger(parameters, 'limit', 20, 1, 500),
    offset: readInteger(parameters, 'offset', 0, 0, 1_000_000),
    ageMin: readInteger(parameters, 'age_min', null, 0, 200),
    ageMax: readInteger(parameters, 'age_max', null, 0, 200),
  };
}

function readChoice(parameters, name, fallback, choices) {
  const value = parameters.get(name) ?? fallback;
  if (!choices.includes(value)) throw badInput(name, `must be one of ${choices.join(', ')}`);
  return value;
}

function readInteger(parameters, name, fallback, minimum, maximum) {
  const text = parameters.get(name);
  if (text === null || text === '') return fallback;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (!(value >= minimum && value <= maximum)) {
    throw badInput(name, `must be an integer from ${minimum} to ${maximum}`);
  }
  return value;
}

/**
 * The statement for one page of users, and one row more: it tells whether there is a next page.
 * Names come from the lists above, values only through `bind`.
 * @param {string} table trusted name
 * @param {UsersQuery} query
 * @param {(name: string, value: number) => string} bind gives the text that stands for a value
 */
function usersSql(table, query, bind) {
  if (!USER_COLUMNS.includes(query.sort) || !ORDERS.includes(query.order)) {
    throw new TypeError('sort and order must come from parseUsersQuery');
  }
  const order = query.order.toUpperCase();
  const by = query.sort === 'id' ? `id ${order}` : `${query.sort} ${order}, id ${order}`;
  const conditions = [];
  if (query.ageMin !== null) conditions.push(`age >= ${bind('age_min', query.ageMin)}`);
  if (query.ageMax !== null) conditions.push(`age <= ${bind('age_max', query.ageMax)}`);
  const where = conditions.length ? ` WHERE ${conditions.join(' AND ')}` : '';
  const page = `LIMIT ${bind('limit', query.limit + 1)} OFFSET ${bind('offset', query.offset)}`;
  return `SELECT ${USER_COLUMNS.join(', ')} FROM ${table}${where} ORDER BY ${by} ${page}`;
}

/** Values bound by name, as spark-service takes them. Spark wants INT, not BIGINT, in LIMIT. */
function namedBinder() {
  const params = {};
  const bind = (name, value) => {
    params[name] = { type: 'INT', value };
    return `:${name}`;
  };
  return { bind, params };
}

/** Integers written into the text: for the service's mysql endpoint, which binds nothing yet. */
function bindInteger(name, value) {
  if (!Number.isSafeInteger(value)) throw new TypeError(`${name} is not an integer`);
  return String(value);
}

/** @returns {{rows: object[], hasMore: boolean}} a page without the row that was one too many */
function cutPage(rows, limit) {
  return { rows: rows.slice(0, limit), hasMore: rows.length > limit };
}

module.exports = { USER_COLUMNS, parseUsersQuery, usersSql, namedBinder, bindInteger, cutPage };
