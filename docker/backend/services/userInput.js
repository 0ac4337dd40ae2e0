'use strict';

const { badInput } = require('./problem');

const LONGEST_TEXT = 100;
const LARGEST_ID = 2n ** 63n - 1n;

/**
 * @typedef {object} UserInput values as bound in MySQL: text, or null
 * @property {string} name
 * @property {string | null} age
 * @property {string | null} city
 * @property {string | null} balance decimal with at most two digits after the point
 */

const READERS = {
  name: (value) => readText('name', value),
  age: (value) => readOptional(value, readAge),
  city: (value) => readOptional(value, (text) => readText('city', text)),
  balance: (value) => readOptional(value, readBalance),
};

/**
 * Checks the body of a write.
 * @param {unknown} body
 * @returns {UserInput}
 * @throws {import('./problem').Problem} 400 naming the field
 */
function parseUser(body) {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw badInput('body', 'must be a JSON object');
  }
  for (const field of Object.keys(body)) {
    if (!Object.hasOwn(READERS, field))
      throw badInput(field.slice(0, 40), 'is not a field of a user');
  }
  return Object.fromEntries(
    Object.entries(READERS).map(([field, read]) => [field, read(body[field])]),
  );
}

/**
 * @param {string} text of the address
 * @returns {string} the same, a positive BIGINT
 */
function parseUserId(text) {
  if (!/^[1-9]\d{0,18}$/.test(text) || BigInt(text) > LARGEST_ID) {
    throw badInput('id', 'must be a positive integer of at most 63 bits');
  }
  return text;
}

function readOptional(value, read) {
  return value === undefined || value === null ? null : read(value);
}

function readText(field, value) {
  if (typeof value !== 'string') throw badInput(field, 'must be a string');
  const text = value.trim();
  const length = [...text].length;
  if (length < 1 || length > LONGEST_TEXT)
    throw badInput(field, `must have 1 to ${LONGEST_TEXT} characters`);
  return text;
}

function readAge(value) {
  if (!Number.isInteger(value) || value < 0 || value > 200)
    throw badInput('age', 'must be an integer from 0 to 200');
  return String(value);
}

function readBalance(value) {
  if (typeof value !== 'string' || !/^-?\d{1,10}(\.\d{1,2})?$/.test(value)) {
    throw badInput(
      'balance',
      'must be a string such as "-12.34", at most ten digits before the point',
    );
  }
  return value;
}

module.exports = { parseUser, parseUserId };
