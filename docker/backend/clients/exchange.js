'use strict';

const http = require('node:http');
const https = require('node:https');

/**
 * One HTTP request and its whole answer. An answer that ends early rejects, whether it was chunked or
 * had a Content-Length.
 * @param {string} url
 * @param {object} options
 * @param {string} options.method
 * @param {Record<string, string>} options.headers
 * @param {string} [options.body]
 * @param {http.Agent} options.agent
 * @param {AbortSignal} options.signal closes the connection
 * @param {number} options.maxBytes a longer answer rejects with code ANSWER_TOO_LARGE
 * @returns {Promise<{status: number, headers: http.IncomingHttpHeaders, text: string}>} trailers are
 *   among the headers
 */
function exchange(url, { body, maxBytes, ...options }) {
  const { request } = url.startsWith('https:') ? https : http;
  return new Promise((resolve, reject) => {
    const outgoing = request(url, options, (incoming) => {
      readText(incoming, maxBytes).then((text) => {
        const { statusCode: status, headers, trailers } = incoming;
        resolve({ status, headers: { ...headers, ...trailers }, text });
      }, reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

async function readText(incoming, maxBytes) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    bytes += chunk.length;
    // Leaving the loop closes the connection.
    if (bytes > maxBytes) throw Object.assign(new Error('answer too large'), { code: 'ANSWER_TOO_LARGE' });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

module.exports = { exchange };
