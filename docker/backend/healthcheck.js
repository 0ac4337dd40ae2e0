'use strict';

// HEALTHCHECK of the image: exit 0 while the backend can serve some of its users.
const http = require('node:http');

const options = {
  host: '127.0.0.1',
  port: process.env.PORT || 5000,
  path: '/api/health',
  timeout: 4_000,
};
http
  .get(options, (response) => process.exit(response.statusCode === 200 ? 0 : 1))
  .on('timeout', () => process.exit(1))
  .on('error', () => process.exit(1));
