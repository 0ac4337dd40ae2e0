'use strict';

const http = require('node:http');
const https = require('node:https');

// What the other end's close does to a request that is just being sent.
const CLOSED = new Set(['ECONNRESET', 'EPIPE']);

/**
 * One HTTP request and its whole answer. An answer that ends early rejects, whether it was chunked
 * or had a Content-Length. A kept connection that turns out to be closed is replaced: the request
 * must be one that may be sent twice, as everything that reads is (RFC 9112 §9.3.1).
 * @param {string} url
 * @param {object} options
 * @param {string} options.method
 * @param {Record<string, string>} options.headers
 * @param {string} [options.body]
 * @param {http.Agent} options.agent
 * @param {AbortSignal} options.signal closes the connection
 * @param {number} options.maxBytes a longer answer rejects with code ANSWER_TOO_LARGE
 * @returns {Promise<{status: number, headers: http.IncomingHttpHeaders, text: string}>} trailers
 *   are among the headers
 */
function exchange(url, options) {
  const { body, maxBytes, ...head } = options;
  const { request } = url.startsWith('https:') ? https : http;
  return new Promise((resolve, reject) => {
    let answered = false;
    const outgoing = request(url, head, (incoming) => {
      answered = true;
      readText(incoming, maxBytes).then((text) => {
        const { statusCode: status, headers, trailers } = incoming;
        resolve({ status, headers: { ...headers, ...trailers }, text });
      }, reject);
    });
    outgoing.on('error', (error) => {
      const wasClosed = outgoing.reusedSocket && !answered && CLOSED.has(error.code);
      if (wasClosed && !head.signal.aborted) resolve(exchange(url, options));
      else reject(error);
    });
    outgoing.end(body);
  });
}

async function readText(incoming, maxBytes) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    bytes += chunk.length;
    // Leaving the loop closes the connection.
    if (bytes > maxBytes)
      throw Object.assign(new Error('answer too large'), { code: 'ANSWER_TOO_LARGE' });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

module.exports = { exchange };
