'use strict';

const http = require('node:http');

/**
 * An HTTP server that says what a test tells it to: for the errors a real service can't be made to
 * give at will. Requests are kept with their bodies; `answers` are used in order, the last one
 * again.
 */
class ScriptedService {
  /** @param {...((response: http.ServerResponse, request: object) => void)} answers */
  static async start(...answers) {
    const service = new ScriptedService();
    service.answers = answers;
    await new Promise((resolve) => service.server.listen(0, '127.0.0.1', resolve));
    service.url = `http://127.0.0.1:${service.server.address().port}`;
    return service;
  }

  constructor() {
    this.requests = [];
    this.connections = 0;
    /** Answers whose connection closed before they were finished. */
    this.deserted = 0;
    this.server = http.createServer(async (request, response) => {
      response.once('close', () => {
        if (!response.writableFinished) this.deserted += 1;
      });
      let text = '';
      for await (const chunk of request.setEncoding('utf8')) text += chunk;
      const { method, url, headers } = request;
      this.requests.push({
        method,
        url,
        headers,
        body: text && JSON.parse(text),
        at: performance.now(),
      });
      const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
      answer(response, request);
    });
    this.server.on('connection', () => {
      this.connections += 1;
    });
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Answers 200 with rows. */
const rows =
  (value, headers = {}) =>
  (response) => {
    response.writeHead(200, {
      'Content-Type': 'application/json',
      'Query-Id': 'given',
      ...headers,
    });
    response.end(JSON.stringify(value));
  };

/** Answers with a problem, as api.md §4 writes it. */
const problem =
  (status, code, { headers = {}, ...members } = {}) =>
  (response) => {
    response.writeHead(status, { 'Content-Type': 'application/problem+json', ...headers });
    response.end(
      JSON.stringify({ status, code, title: code, detail: `about ${code}`, ...members }),
    );
  };

/** Never answers. */
const silence = () => {};

module.exports = { ScriptedService, problem, rows, silence };
