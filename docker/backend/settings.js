'use strict';

const fs = require('node:fs');

const { MODES, parseMode } = require('./services/modes');

class SettingError extends Error {}

const MINUTES_10_MS = 600_000;

/**
 * Reads all settings from the environment; README.md has their table.
 * @param {NodeJS.ProcessEnv} env
 * @throws {SettingError} naming the variable, never its value when it may be a secret
 */
function readSettings(env) {
  const sparkUrl = readUrl(env, 'SPARK_SERVICE_URL');
  const timeoutMs = readInteger(env, 'SPARK_SERVICE_TIMEOUT_MS', 28_000, 1, MINUTES_10_MS);
  const deadlineMs = readInteger(
    env,
    'SPARK_SERVICE_DEADLINE_MS',
    30_000,
    2,
    MINUTES_10_MS + 60_000,
  );
  if (deadlineMs <= timeoutMs) {
    throw new SettingError('SPARK_SERVICE_DEADLINE_MS: must be more than SPARK_SERVICE_TIMEOUT_MS');
  }
  return {
    host: env.HOST || '127.0.0.1',
    port: readInteger(env, 'PORT', 5000, 0, 65535),
    mode: readMode(env, sparkUrl),
    directFallback: readInteger(env, 'DIRECT_FALLBACK', 1, 0, 1) === 1,
    spark: sparkUrl && {
      baseUrl: sparkUrl,
      token: readSecret(env, 'SPARK_SERVICE_TOKEN'),
      timeoutMs,
      deadlineMs,
    },
    bases: {
      parquet: readFolder(env, 'PARQUET_BASE', '/data/parquet'),
      delta: readFolder(env, 'DELTA_BASE', '/data/delta'),
      iceberg: readFolder(env, 'ICEBERG_BASE', '/data/iceberg'),
    },
    mysql: {
      host: env.MYSQL_HOST || '127.0.0.1',
      port: readInteger(env, 'MYSQL_PORT', 3306, 1, 65535),
      user: env.MYSQL_USER || 'demo',
      password: readSecret(env, 'MYSQL_PASSWORD'),
      database: env.MYSQL_DATABASE || 'demo',
      timeoutMs: readInteger(env, 'MYSQL_TIMEOUT_MS', 10_000, 1, MINUTES_10_MS),
    },
    healthTimeoutMs: readInteger(env, 'HEALTH_TIMEOUT_MS', 2_000, 1, 60_000),
    drainMs: readInteger(env, 'DRAIN_MS', 8_000, 0, MINUTES_10_MS),
    logLevel: readChoice(env, 'LOG_LEVEL', 'info', ['debug', 'info', 'warn', 'error']),
  };
}

function readInteger(env, name, fallback, minimum, maximum) {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (!(value >= minimum && value <= maximum)) {
    throw new SettingError(`${name}: must be an integer from ${minimum} to ${maximum}`);
  }
  return value;
}

function readChoice(env, name, fallback, choices) {
  const value = env[name] || fallback;
  if (!choices.includes(value))
    throw new SettingError(`${name}: must be one of ${choices.join(', ')}`);
  return value;
}

function readUrl(env, name) {
  if (!env[name]) return null;
  try {
    const url = new URL(env[name]);
    if (/^https?:$/.test(url.protocol) && !url.username && !url.password) return url.href;
  } catch {
    // falls through to the one message
  }
  throw new SettingError(`${name}: must be an http or https address without user and password`);
}

function readFolder(env, name, fallback) {
  const value = env[name] || fallback;
  if (!/^(\/|s3a:\/\/)/.test(value)) throw new SettingError(`${name}: must be an absolute path`);
  return value.replace(/\/+$/, '');
}

function readSecret(env, name) {
  const file = env[`${name}_FILE`];
  if (!file) return env[name] || undefined;
  if (env[name]) throw new SettingError(`${name} and ${name}_FILE: only one of them may be set`);
  try {
    return fs.readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new SettingError(`${name}_FILE: can't be read (${error.code})`);
  }
}

function readMode(env, sparkUrl) {
  if (!env.MODE) return sparkUrl ? MODES.SPARK : MODES.DIRECT;
  const mode = parseMode(env.MODE);
  if (!mode) throw new SettingError(`MODE: must be ${Object.values(MODES).join(' or ')}`);
  if (mode === MODES.SPARK && !sparkUrl)
    throw new SettingError(`MODE: ${mode} needs SPARK_SERVICE_URL`);
  return mode;
}

module.exports = { readSettings, SettingError };
