/** What the backend refused or couldn't do: its problem document. */
export class ApiError extends Error {
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/**
 * One call of the backend.
 * @param {string} method
 * @param {string} path
 * @param {{body?: object, signal?: AbortSignal}} [options]
 * @returns {Promise<{status: number, body: any, ms: number}>} `ms` as the browser saw it
 * @throws {ApiError} for answers from 400 on and for a backend out of reach
 */
export async function call(method, path, { body, signal } = {}) {
  const begin = performance.now();
  const { status, value } = await send(method, path, body, signal);
  if (status >= 400)
    throw new ApiError({ status, code: 'error', detail: 'no explanation', ...value });
  return { status, body: value, ms: performance.now() - begin };
}

/** Like `call`, but an answer of 503 is one of the answers. */
export async function readHealth() {
  const { value } = await send('GET', '/api/health');
  return value;
}

async function send(method, path, body, signal) {
  try {
    const response = await fetch(path, {
      method,
      signal,
      headers: body && { 'Content-Type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, value: text ? JSON.parse(text) : null };
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError({
      code: 'unreachable',
      detail: `the backend can't be reached (${error.message})`,
    });
  }
}
