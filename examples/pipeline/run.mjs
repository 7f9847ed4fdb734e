// @ts-check
// A parallel pipeline over real files: every source file in node_modules is tokenised, its words counted and its bytes hashed, by worker
// programs that share two named queues. The totals are checked against a run in this process alone.
//   node run.mjs [--kill] [--workers N] [--folder PATH]
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { Totals, analyse } from './analyse.mjs';
import { childProcessPipeline } from './child-process-pipeline.mjs';
import { ProgressBar } from './progress-bar.mjs';
import { queuePipeline } from './queue-pipeline.mjs';
import { sourceFiles } from './source-files.mjs';

const { values } = parseArgs({
  options: {
    kill: { type: 'boolean', default: false },
    workers: { type: 'string', default: '3' },
    folder: {
      type: 'string',
      default: fileURLToPath(new URL('../../node_modules', import.meta.url)),
    },
  },
});
const workerCount = Number(values.workers);
if (!Number.isInteger(workerCount) || workerCount < 1) {
  console.error(`--workers is '${values.workers}'; it must be a whole number, 1 or more`);
  process.exit(2);
}

console.log(`1. In one process: ${values.folder}`);
const alone = new Totals();
const aloneStarted = performance.now();
for (const path of sourceFiles(values.folder)) alone.add(analyse(readFileSync(path)));
const aloneSeconds = (performance.now() - aloneStarted) / 1000;
console.log(`   ${alone.fingerprint}`);
const megabytes = alone.bytes / 1e6;
console.log(`   ${aloneSeconds.toFixed(2)} s, ${(megabytes / aloneSeconds).toFixed(0)} MB/s`);

const kills = values.kill ? 5 : 0;
console.log(
  `2. Over two queues: a walker, ${workerCount} workers${kills > 0 ? `, ${kills} of them killed with kill -9 while they hold a job` : ''}`,
);
const bar = new ProgressBar(alone.files);
const shared = await queuePipeline(values.folder, {
  workerCount,
  kills,
  onProgress: (files, note) => bar.show(files, note),
});
console.log(`   ${shared.totals.fingerprint}`);
console.log(
  `   ${shared.seconds.toFixed(2)} s, ${(shared.totals.files / shared.seconds).toFixed(0)} files/s, ${(megabytes / shared.seconds).toFixed(0)} MB/s; ` +
    `${shared.killed} workers killed, ${shared.redelivered} jobs delivered again, ${shared.duplicates} duplicate results dropped`,
);

let same = shared.totals.fingerprint === alone.fingerprint;
// With kills and replacements a comparison of times would say nothing.
if (!values.kill) {
  console.log(`3. Over child_process messages: the same work, ${workerCount} workers`);
  const messages = await childProcessPipeline(values.folder, workerCount);
  console.log(`   ${messages.totals.fingerprint}`);
  console.log(
    `   ${messages.seconds.toFixed(2)} s: ${(messages.seconds / shared.seconds).toFixed(2)}x the time of the queues`,
  );
  same &&= messages.totals.fingerprint === alone.fingerprint;
}

console.log('   top words:');
for (const [word, count] of shared.totals.top(10))
  console.log(`   ${String(count).padStart(9)}  ${word}`);

const killedAll = shared.killed === kills;
console.log(same ? 'The totals agree.' : 'THE TOTALS DIFFER.');
if (!killedAll)
  console.log(`Only ${shared.killed} of ${kills} workers could be killed while they held a job.`);
process.exitCode = same && killedAll ? 0 : 1;
