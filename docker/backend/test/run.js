'use strict';

// npm test [FILE...]: starts the real servers unless the environment names them, runs the tests one
// file after the other, writes build/test-results/<line>/backend.xml, ends with the counts.

const fs = require('node:fs');
const path = require('node:path');
const { run } = require('node:test');
const { spec: Spec } = require('node:test/reporters');

const { JUnitReport } = require('./support/junit');
const { BUILD, SPARK, startServers } = require('./support/servers');

const results = process.env.RESULTS ?? path.join(BUILD, 'test-results', SPARK);

function testFiles(names) {
  if (names.length > 0) return names.map((name) => path.resolve(name));
  return fs
    .readdirSync(__dirname)
    .filter((name) => name.endsWith('.test.js'))
    .sort()
    .map((name) => path.join(__dirname, name));
}

function runTests(files) {
  const stream = run({ files, concurrency: 1, timeout: 300_000 });
  const report = new JUnitReport().listen(stream);
  return new Promise((resolve, reject) => {
    stream.once('error', reject).once('end', () => resolve(report));
    stream.compose(new Spec()).pipe(process.stdout);
  });
}

async function main() {
  const servers = await startServers();
  try {
    Object.assign(process.env, servers.env, { RESULTS: results });
    const report = await runTests(testFiles(process.argv.slice(2)));
    report.write(path.join(results, 'backend.xml'));
    const { passed, failed, skipped } = report.counts;
    process.stdout.write(`backend: ${passed} passed, ${failed} failed, ${skipped} skipped\n`);
    if (failed > 0 || passed === 0) process.exitCode = 1;
  } finally {
    await servers.stop();
  }
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
