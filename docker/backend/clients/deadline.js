'use strict';

/**
 * A moment until which one call may last, and a signal that fires then or when the caller's own
 * signal does. `done()` has to be called at the end: it frees the timer and the listener.
 */
class Deadline {
  #end;
  #timer;
  #controller = new AbortController();
  #callerSignal;
  #onCallerAbort = () => this.#controller.abort();

  /**
   * @param {number} ms from now
   * @param {AbortSignal} [callerSignal]
   */
  constructor(ms, callerSignal) {
    this.#end = performance.now() + ms;
    this.#callerSignal = callerSignal;
    this.#timer = setTimeout(() => this.#controller.abort(), ms);
    if (callerSignal?.aborted) this.#controller.abort();
    callerSignal?.addEventListener('abort', this.#onCallerAbort, { once: true });
  }

  get signal() {
    return this.#controller.signal;
  }

  /** Did the caller abort, and not the clock? */
  get abortedByCaller() {
    return this.#callerSignal?.aborted === true;
  }

  /** @returns {number} milliseconds left, 0 or more */
  remainingMs() {
    return Math.max(0, this.#end - performance.now());
  }

  /**
   * Waits; ends early when the signal fires.
   * @param {number} ms
   */
  pause(ms) {
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.signal.removeEventListener('abort', finish);
        resolve();
      };
      const timer = setTimeout(finish, ms);
      this.signal.addEventListener('abort', finish);
      if (this.signal.aborted) finish();
    });
  }

  done() {
    clearTimeout(this.#timer);
    this.#callerSignal?.removeEventListener('abort', this.#onCallerAbort);
  }
}

module.exports = { Deadline };
