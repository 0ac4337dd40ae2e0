'use strict';

const { Problem, badInput } = require('../services/problem');

const LARGEST_BODY = 64 * 1024;

/**
 * Reads a JSON body.
 * @param {import('node:http').IncomingMessage} request
 * @returns {Promise<unknown>}
 * @throws {Problem} 415, 413 or 400
 */
async function readJsonBody(request) {
  const type = (request.headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
  // Also what keeps other sites' forms out: a browser asks first before it sends this type there.
  if (type !== 'application/json') {
    throw new Problem(415, 'unsupported_media_type', 'the body must be application/json');
  }
  const bytes = await readBytes(request);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw badInput('body', 'is not JSON');
  }
}

/** By events: leaving a `for await` early would destroy the connection, and the answer with it. */
function readBytes(request) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    let length = 0;
    request.on('data', (chunk) => {
      length += chunk.length;
      if (length <= LARGEST_BODY) {
        chunks.push(chunk);
        return;
      }
      request.pause();
      reject(new Problem(413, 'too_large', `the body has more than ${LARGEST_BODY} bytes`));
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('close', () => reject(badInput('body', 'ended early')));
    request.on('error', reject);
  });
}

module.exports = { readJsonBody };
