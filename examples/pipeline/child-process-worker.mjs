// @ts-check
// The same worker over child_process messages, for comparison.
import { analyse } from './analyse.mjs';

process.on('message', (/** @type {{ id: number, bytes: Uint8Array }} */ job) => {
  process.send?.({ id: job.id, analysis: analyse(job.bytes) });
});
