'use strict';

const TITLES = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** An error with the answer it gets: problem+json of RFC 9457, codes as in spark-service's own. */
class Problem extends Error {
  /**
   * @param {number} status
   * @param {string} code stable, for programs
   * @param {string} detail one sentence, for people
   * @param {object} [more] further members of the answer
   * @param {unknown} [cause]
   */
  constructor(status, code, detail, more = {}, cause = undefined) {
    super(`${code}: ${detail}`, { cause });
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.more = more;
  }

  /** @returns {object} the body */
  toJSON() {
    const { status, code, detail, more } = this;
    return {
      type: `urn:backend:problem:${code}`,
      title: TITLES[status],
      status,
      detail,
      code,
      ...more,
    };
  }
}

/** @param {string} field the input at fault */
function badInput(field, reason) {
  return new Problem(400, 'bad_request', `${field}: ${reason}`, { field });
}

module.exports = { Problem, badInput };
