'use strict';

const net = require('node:net');

/**
 * A TCP proxy in front of a real server: the way to make one hang (`pause`), vanish (`refuse`) or
 * drop its connections (`cut`) without owning its process.
 */
class Proxy {
  /** @param {{host: string, port: number}} target */
  static async start(target) {
    const proxy = new Proxy(target);
    await proxy.#listen(0);
    proxy.port = proxy.#server.address().port;
    return proxy;
  }

  #target;
  #server;
  #pairs = new Set();
  #paused = false;

  constructor(target) {
    this.#target = target;
  }

  #listen(port) {
    this.#server = net.createServer((near) => this.#join(near));
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
  }

  #join(near) {
    const far = net.connect(this.#target);
    const pair = [near, far];
    this.#pairs.add(pair);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      from.pipe(to);
      from.on('error', () => {});
      from.on('close', () => {
        this.#pairs.delete(pair);
        to.destroy();
      });
      if (this.#paused) from.pause();
    }
  }

  /** Connections are still taken, nothing comes through. */
  pause() {
    this.#paused = true;
    for (const socket of [...this.#pairs].flat()) socket.unpipe();
    for (const socket of [...this.#pairs].flat()) socket.pause();
  }

  resume() {
    this.#paused = false;
    for (const [near, far] of this.#pairs) {
      near.pipe(far);
      far.pipe(near);
    }
  }

  /** Drops all connections; new ones are taken. */
  cut() {
    for (const socket of [...this.#pairs].flat()) socket.destroy();
  }

  /** Drops all connections and takes no new ones. */
  async refuse() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }

  /** Takes connections again, on the same port. */
  accept() {
    return this.#listen(this.port);
  }

  async stop() {
    if (this.#server.listening) await this.refuse();
  }
}

module.exports = { Proxy };
