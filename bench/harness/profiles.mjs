// @ts-check
/** CPU profiles of the processes of cells, for who wants to know where the time goes. Profiling slows them down. */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { withoutCheckout } from './checkout.mjs';
import { formatPercent } from './format.mjs';
import { formatTable } from './table.mjs';

const EXTENSION = '.cpuprofile';
/** Functions that are shown of a process. */
const MOST = 12;
const IDLE = '(idle)';

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
 * The functions that each process spent its time in, not in what they call; starting it is part of it.
 * @param {string} directory
 */
export function formatProfiles(directory) {
  return readdirSync(directory)
    .filter((name) => name.endsWith(EXTENSION))
    .toSorted()
    .map((name) => {
      const shares = sharesOf(JSON.parse(readFileSync(join(directory, name), 'utf8')));
      const idle = formatPercent((shares.get(IDLE) ?? 0) * 100);
      const rows = [...shares]
        .filter(([place]) => place !== IDLE)
        .toSorted(([, a], [, b]) => b - a)
        .slice(0, MOST)
        .map(([place, share]) => [place, formatPercent(share * 100)]);
      return `${basename(name, EXTENSION)}, ${idle} idle\n${formatTable(['function', 'of its time'], rows)}`;
    })
    .join('\n\n');
}

/**
 * What part of the time each function took.
 * @param {Profile} profile
 */
function sharesOf({ nodes, samples, timeDeltas }) {
  const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
  const total = timeDeltas.reduce((sum, each) => sum + each, 0);
  /** @type {Map<string, number>} */
  const shares = new Map();
  samples.forEach((id, index) => {
    const place = places.get(id) ?? '';
    // The time up to the sample is that of what it found.
    shares.set(place, (shares.get(place) ?? 0) + (timeDeltas[index] ?? 0) / total);
  });
  return shares;
}

/** @param {Profile['nodes'][number]['callFrame']} frame */
function placeOf({ functionName, url, lineNumber }) {
  const name = functionName || '(anonymous)';
  return url === '' ? name : `${name} ${withoutCheckout(url)}:${lineNumber + 1}`;
}
