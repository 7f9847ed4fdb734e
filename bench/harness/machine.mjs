// @ts-check
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

import { CHECKOUT } from './checkout.mjs';

/**
 * What a reader must know to make anything of a figure. No host names, no paths: results are published.
 * @typedef {object} MachineFacts
 * @property {string} date
 * @property {string} cpu
 * @property {number} processors
 * @property {number} memoryGiB
 * @property {string} kernel
 * @property {string} node
 * @property {string} v8
 * @property {string} commit
 * @property {number} busyPercent how busy the machine was before the first cell
 */

/** @returns {Promise<MachineFacts>} */
export async function machineFacts() {
  return {
    date: new Date().toISOString(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    processors: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    node: process.version,
    v8: process.versions.v8,
    commit: commit(),
    busyPercent: await busyPercent(500),
  };
}

/** @param {MachineFacts} facts */
export function describeMachine(facts) {
  const lines = [
    `${facts.cpu}, ${facts.processors} processors, ${facts.memoryGiB} GiB, ${facts.kernel}`,
    `Node ${facts.node} (V8 ${facts.v8}), commit ${facts.commit}, ${facts.date}`,
  ];
  if (facts.busyPercent > 5) {
    lines.push(
      `Other programs keep this machine ${facts.busyPercent} % busy: the figures are not to be trusted.`,
    );
  }
  return lines.join('\n');
}

function commit() {
  /** @param {string[]} args */
  const git = (...args) => {
    const { status, stdout } = spawnSync('git', args, { cwd: CHECKOUT, encoding: 'utf8' });
    return status === 0 ? stdout.trim() : undefined;
  };
  const hash = git('rev-parse', '--short=12', 'HEAD');
  if (hash === undefined) return 'unknown';
  return git('status', '--porcelain') === '' ? hash : `${hash} with changes`;
}

/**
 * Of all processors together.
 * @param {number} milliseconds
 */
async function busyPercent(milliseconds) {
  const before = processorTimes();
  await sleep(milliseconds);
  const after = processorTimes();
  const total = after.total - before.total;
  return total === 0 ? 0 : Math.round((100 * (total - (after.idle - before.idle))) / total);
}

function processorTimes() {
  const times = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]?.split(/\s+/).slice(1, 9);
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, ...rest] = (times ?? []).map(Number);
  const busy = user + nice + system + rest.reduce((sum, time) => sum + time, 0);
  return { idle: idle + wait, total: busy + idle + wait };
}
