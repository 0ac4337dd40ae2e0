'use strict';

const fs = require('node:fs');
const path = require('node:path');

// XML 1.0 has no way to write these at all.
const UNWRITABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;
const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const escape = (text) =>
  String(text)
    .replace(UNWRITABLE, '\ufffd')
    .replace(/[&<>"]/g, (sign) => ENTITIES[sign]);

/**
 * Collects the results of node:test as one JUnit suite. Node 18 has no junit reporter of its own.
 */
class JUnitReport {
  #cases = [];
  counts = { passed: 0, failed: 0, skipped: 0 };

  /** @param {import('node:stream').Readable} stream of `run()` */
  listen(stream) {
    stream.on('test:pass', (data) => this.#add(data));
    stream.on('test:fail', (data) => this.#add(data));
    return this;
  }

  #add({ name, file, skip, todo, details }) {
    // A suite, or a whole file: its tests are counted. A file that broke before its first test
    // isn't.
    const failedParts = details.error?.failureType === 'subtestsFailed';
    const isFile = name === file || path.resolve(name) === file || path.isAbsolute(name);
    if (details.type === 'suite' || failedParts || (isFile && !details.error)) return;
    const outcome =
      details.error && todo === undefined ? 'failed' : skip !== undefined ? 'skipped' : 'passed';
    this.counts[outcome] += 1;
    this.#cases.push({ name, file: path.basename(file ?? name), outcome, details });
  }

  /** @param {string} target */
  write(target) {
    const { passed, failed, skipped } = this.counts;
    const lines = [
      '<?xml version="1.0" encoding="UTF-8"?>',
      `<testsuite name="backend" tests="${passed + failed + skipped}" failures="${failed}" skipped="${skipped}">`,
      ...this.#cases.map(caseElement),
      '</testsuite>',
    ];
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, `${lines.join('\n')}\n`);
  }
}

function caseElement({ name, file, outcome, details }) {
  const seconds = ((details.duration_ms ?? 0) / 1000).toFixed(3);
  const open = `  <testcase classname="${escape(file)}" name="${escape(name)}" time="${seconds}"`;
  if (outcome === 'passed') return `${open}/>`;
  if (outcome === 'skipped') return `${open}><skipped/></testcase>`;
  const cause = details.error.cause ?? details.error;
  const text = cause.stack ?? cause.message ?? cause;
  return `${open}><failure message="${escape(cause.message ?? cause)}">${escape(text)}</failure></testcase>`;
}

module.exports = { JUnitReport };
