'use strict';

const http = require('node:http');
const path = require('node:path');

const { Child } = require('./child');
const { waitUntil } = require('./wait');

const SERVER = path.resolve(__dirname, '../../server.js');
const OWN_SETTINGS = /^(SPARK_SERVICE_|MYSQL_|PARQUET_|DELTA_|ICEBERG_)/;

/** Settings of the real servers, as the runner put them into the environment. */
function realServers() {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => OWN_SETTINGS.test(name)),
  );
}

/** One running backend: the real program in a process of its own. */
class Backend {
  /** @param {object} env settings; nothing but PATH comes from outside */
  static async start(env) {
    const backend = new Backend(env);
    const listening = /msg=listening .*port=(\d+)/;
    await waitUntil(
      () => backend.child.mustRun() && listening.test(backend.child.output),
      10_000,
      'listening',
    );
    backend.port = Number(listening.exec(backend.child.output)[1]);
    backend.url = `http://127.0.0.1:${backend.port}`;
    return backend;
  }

  constructor(env) {
    this.child = new Child(process.execPath, [SERVER], {
      env: { PATH: process.env.PATH, PORT: '0', ...env },
    });
  }

  /**
   * @param {string} method
   * @param {string} target
   * @param {unknown} [body] sent as JSON
   * @param {Record<string, string>} [headers]
   * @returns {Promise<{status: number, headers: object, text: string, body: any, ms: number}>}
   */
  request(method, target, body, headers = {}) {
    const begin = performance.now();
    const bytes = body === undefined ? undefined : JSON.stringify(body);
    const type =
      bytes === undefined
        ? {}
        : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(bytes) };
    return new Promise((resolve, reject) => {
      const request = http.request(
        this.url + target,
        { method, headers: { ...type, ...headers } },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk) => {
            text += chunk;
          });
          response.on('error', reject).on('end', () =>
            resolve({
              status: response.statusCode,
              headers: response.headers,
              text,
              body: /json/.test(response.headers['content-type']) ? JSON.parse(text) : undefined,
              ms: performance.now() - begin,
            }),
          );
        },
      );
      request.on('error', reject).end(bytes);
    });
  }

  get(target) {
    return this.request('GET', target);
  }

  setMode(mode) {
    return this.request('PUT', '/api/mode', { mode });
  }

  stop() {
    return this.child.stop();
  }
}

module.exports = { Backend, realServers };
