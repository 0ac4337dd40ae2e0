'use strict';

const { spawn } = require('node:child_process');

/** A program that runs beside the tests; what it prints is kept. */
class Child {
  /**
   * @param {string} program
   * @param {string[]} [args]
   * @param {import('node:child_process').SpawnOptions} [options]
   */
  constructor(program, args = [], options = {}) {
    this.name = program;
    this.output = '';
    this.process = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.output += text;
      });
    }
    /** Resolves with the exit code, or the signal's name. */
    this.ended = new Promise((resolve, reject) => {
      this.process.once('error', reject);
      this.process.once('close', (code, signal) => resolve(code ?? signal));
    });
    this.ended.catch(() => {});
  }

  get runs() {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** Throws when it has ended, with what it printed last. */
  mustRun() {
    if (!this.runs) throw new Error(`${this.name} ended:\n${this.output.slice(-4000)}`);
    return true;
  }

  signal(name) {
    this.process.kill(name);
  }

  /** SIGTERM, and SIGKILL when that does nothing for `ms`. */
  async stop(ms = 30_000) {
    if (!this.runs) return;
    this.signal('SIGTERM');
    const kill = setTimeout(() => this.signal('SIGKILL'), ms);
    await this.ended;
    clearTimeout(kill);
  }
}

module.exports = { Child };
