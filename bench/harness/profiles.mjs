// @ts-check
/** CPU profiles of the processes of cells, for who wants to know where the time goes. Profiling slows them down. */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { withoutCheckout } from './checkout.mjs';
import { formatTable } from './table.mjs';

const EXTENSION = '.cpuprofile';
const MOST = 15;

/**
 * @typedef {object} Profile as Node writes it
 * @property {{ id: number, callFrame: { functionName: string, url: string, lineNumber: number } }[]} nodes
 * @property {number[]} samples
 * @property {number[]} timeDeltas
 */

/**
 * What Node is to be started with, so that it leaves a profile of all its life.
 * @param {string | undefined} directory undefined: no profile
 * @param {string} name
 */
export function profilingArguments(directory, name) {
  if (directory === undefined) return [];
  return ['--cpu-prof', `--cpu-prof-dir=${directory}`, `--cpu-prof-name=${name}${EXTENSION}`];
}

/**
 * The functions that each process spent most of its time in, not in what they call.
 * @param {string} directory
 */
export function formatProfiles(directory) {
  return readdirSync(directory)
    .filter((name) => name.endsWith(EXTENSION))
    .toSorted()
    .map((name) => {
      const profile = JSON.parse(readFileSync(join(directory, name), 'utf8'));
      const rows = hottest(profile).map(({ place, share }) => [
        place,
        `${(share * 100).toFixed(1)} %`,
      ]);
      return `${basename(name, EXTENSION)}\n${formatTable(['function', 'of its time'], rows)}`;
    })
    .join('\n\n');
}

/** @param {Profile} profile */
function hottest({ nodes, samples, timeDeltas }) {
  const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
  /** @type {Map<string, number>} */
  const microseconds = new Map();
  samples.forEach((id, index) => {
    const place = places.get(id) ?? '';
    // The time up to the sample is that of what it found.
    microseconds.set(place, (microseconds.get(place) ?? 0) + (timeDeltas[index] ?? 0));
  });
  const total = [...microseconds.values()].reduce((sum, each) => sum + each, 0);
  return [...microseconds]
    .map(([place, each]) => ({ place, share: each / total }))
    .toSorted((a, b) => b.share - a.share)
    .slice(0, MOST);
}

/** @param {Profile['nodes'][number]['callFrame']} frame */
function placeOf({ functionName, url, lineNumber }) {
  const name = functionName || '(anonymous)';
  return url === '' ? name : `${name} ${withoutCheckout(url)}:${lineNumber + 1}`;
}
