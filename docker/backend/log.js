'use strict';

const LEVELS = ['debug', 'info', 'warn', 'error'];
const LONGEST_VALUE = 2000;

/** Lines of `key=value` on standard error, as spark-service writes them. */
class Log {
  #threshold;
  #write;

  /**
   * @param {string} level lowest one that is written
   * @param {(line: string) => void} [write]
   */
  constructor(level, write = (line) => process.stderr.write(line)) {
    this.#threshold = LEVELS.indexOf(level);
    this.#write = write;
  }

  debug(message, facts) {
    this.#line('debug', message, facts);
  }

  info(message, facts) {
    this.#line('info', message, facts);
  }

  warn(message, facts) {
    this.#line('warn', message, facts);
  }

  error(message, facts) {
    this.#line('error', message, facts);
  }

  #line(level, message, facts = {}) {
    if (LEVELS.indexOf(level) < this.#threshold) return;
    const all = { time: new Date().toISOString(), level, msg: message, ...facts };
    const pairs = Object.entries(all).filter(([, value]) => value !== undefined);
    this.#write(`${pairs.map(([key, value]) => `${key}=${quote(String(value))}`).join(' ')}\n`);
  }
}

/** Anything but a plain word as a JSON string: callers' data can't break out of its line. */
function quote(text) {
  const cut = text.slice(0, LONGEST_VALUE);
  return /^[\w.:/+-]+$/.test(cut) ? cut : JSON.stringify(cut);
}

module.exports = { Log };
