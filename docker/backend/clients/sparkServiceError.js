'use strict';

/**
 * Why a call of spark-service failed.
 *
 * `code` is the service's own (`sql_error`, `queue_full`, `timeout` …) when it answered with a
 * problem (RFC 9457), else one of:
 *
 * - `unreachable`: no connection came about; the query did not run
 * - `connection_lost`: the connection broke before the answer was whole
 * - `client_timeout`: the client's deadline passed; the service cancels the query
 * - `aborted`: the caller's AbortSignal fired; the service cancels the query
 * - `too_large`: the answer is larger than the client takes
 * - `bad_answer`: what came back isn't what the contract says
 */
class SparkServiceError extends Error {
  /**
   * @param {string} code
   * @param {string} detail one sentence for people
   * @param {object} [more]
   * @param {number} [more.status] HTTP status, when there was an answer
   * @param {string} [more.queryId]
   * @param {string} [more.sqlstate]
   * @param {string} [more.errorClass] Spark's name of the error
   * @param {number} [more.retryAfterMs] of a 503 or 429 with Retry-After
   * @param {unknown} [more.cause]
   */
  constructor(code, detail, more = {}) {
    super(`${code}: ${detail}`, { cause: more.cause });
    this.name = 'SparkServiceError';
    this.code = code;
    this.detail = detail;
    this.status = more.status;
    this.queryId = more.queryId;
    this.sqlstate = more.sqlstate;
    this.errorClass = more.errorClass;
    this.retryAfterMs = more.retryAfterMs;
  }

  /** Is it certain that no query ran? */
  get notRun() {
    return this.code === 'unreachable' || this.status === 503;
  }
}

module.exports = { SparkServiceError };
