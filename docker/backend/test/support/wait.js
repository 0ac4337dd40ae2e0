'use strict';

const { setTimeout: delay } = require('node:timers/promises');

/**
 * Polls until `condition` gives something true, and gives that; fails after `ms`.
 * @param {() => unknown} condition may be async
 * @param {number} ms
 * @param {string | (() => string)} what
 */
async function waitUntil(condition, ms, what) {
  const end = performance.now() + ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() >= end) {
      throw new Error(`not within ${ms} ms: ${typeof what === 'function' ? what() : what}`);
    }
    await delay(20);
  }
}

module.exports = { waitUntil };
