// @ts-check
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** @typedef {import('./contender.mjs').Role} Role */

/** @type {ReadonlySet<Role>} */
const SECOND_ROLES = new Set(['consumer', 'answerer', 'holder', 'rival']);

/**
 * Where the two sides of a cell run.
 * @typedef {object} CorePair
 * @property {number} first for those who send or ask
 * @property {number} second for those who receive or answer
 */

/**
 * Two cores that this process may use, not two threads of one core where there is a choice. Without them the scheduler
 * moves the sides about, which changes figures by a factor of three.
 * @returns {CorePair | string} or why not
 */
export function chooseCorePair() {
  if (spawnSync('taskset', ['--version']).status !== 0) return 'there is no taskset';
  const [first, ...others] = allowedCpus();
  if (first === undefined || others.length === 0) return 'there is only one processor';
  const siblings = siblingsOf(first);
  const second = others.find((cpu) => !siblings.includes(cpu));
  return { first, second: second ?? /** @type {number} */ (others[0]) };
}

/**
 * What a program is started with, so that it stays where its role belongs: who sends or asks on one, who receives or answers on the
 * other, and who keeps something for both on whichever of the two is free.
 * @param {CorePair | undefined} cores
 * @param {Role} role
 */
export function pinnedTo(cores, role) {
  return cores ? ['taskset', '-c', coresOf(cores, role)] : [];
}

/**
 * @param {CorePair} cores
 * @param {Role} role
 */
function coresOf({ first, second }, role) {
  if (role === 'keeper') return `${first},${second}`;
  return String(SECOND_ROLES.has(role) ? second : first);
}

function allowedCpus() {
  const status = readFileSync('/proc/self/status', 'utf8');
  return parseCpuList(/^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1] ?? '');
}

/** @param {number} cpu */
function siblingsOf(cpu) {
  const file = `/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`;
  return existsSync(file) ? parseCpuList(readFileSync(file, 'utf8').trim()) : [cpu];
}

/**
 * As the kernel writes it: `0-3,8`.
 * @param {string} list
 */
function parseCpuList(list) {
  return list.split(',').flatMap((range) => {
    const [from = NaN, to = from] = range.split('-').map(Number);
    return Number.isNaN(from) ? [] : Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}
