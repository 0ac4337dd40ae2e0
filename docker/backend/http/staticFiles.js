'use strict';

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const { SAFE_HEADERS } = require('./reply');

const SCRIPT = 'text/javascript; charset=utf-8';
const FILES = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/app.js': ['app.js', SCRIPT],
  '/api.js': ['api.js', SCRIPT],
  '/editor.js': ['editor.js', SCRIPT],
  '/view.js': ['view.js', SCRIPT],
  '/style.css': ['style.css', 'text/css; charset=utf-8'],
  '/favicon.svg': ['favicon.svg', 'image/svg+xml'],
};

/** The page's files, read once: a request's path is only ever a key of the table above. */
function loadStaticFiles(folder) {
  return Object.fromEntries(
    Object.entries(FILES).map(([route, [name, type]]) => {
      const bytes = fs.readFileSync(path.join(folder, name));
      const etag = `"${createHash('sha256').update(bytes).digest('base64url')}"`;
      return [route, { bytes, type, etag }];
    }),
  );
}

/**
 * @param {import('node:http').IncomingMessage} request GET or HEAD
 * @param {import('node:http').ServerResponse} response
 * @param {{bytes: Buffer, type: string, etag: string}} file
 */
function sendStaticFile(request, response, { bytes, type, etag }) {
  const headers = { ETag: etag, 'Cache-Control': 'no-cache', ...SAFE_HEADERS };
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, headers).end();
    return;
  }
  response.writeHead(200, { ...headers, 'Content-Type': type, 'Content-Length': bytes.length });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

module.exports = { loadStaticFiles, sendStaticFile };
