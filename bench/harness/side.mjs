// @ts-check
/**
 * The program of one side of a cell: sets up what its contender says for its role, then runs once for each number it
 * reads from stdin, and prints what came of it. It closes and ends when stdin does.
 */

import { createInterface } from 'node:readline';

import { loadContender } from './contender.mjs';
import { SideProcess } from './side-process.mjs';

/** @typedef {import('./side-process.mjs').SideSpecification} SideSpecification */
/** @typedef {import('./side-process.mjs').SideAnswer} SideAnswer */

/** @param {SideAnswer} answer */
function say(answer) {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

/** @param {SideSpecification} specification */
async function setUp(specification) {
  const { contender, pattern, role, index, parameters, directory } = specification;
  const sides = (await loadContender(contender)).patterns[pattern];
  const setUpRole = sides && 'roles' in sides ? sides.roles[role] : undefined;
  if (!setUpRole) throw new Error(`${contender} has no ${role} for ${pattern}`);
  if (parameters.backend !== undefined) await assertBackend(parameters.backend);
  return setUpRole({
    parameters,
    index,
    directory,
    async startPeer(peerRole, serialization) {
      const peer = new SideProcess({ ...specification, role: peerRole }, { serialization });
      await peer.ready();
      return peer;
    },
  });
}

/** @param {string} wanted */
async function assertBackend(wanted) {
  const { backend } = await import('interproc');
  if (backend.kind !== wanted) throw new Error(`the backend is '${backend.kind}', not '${wanted}'`);
}

try {
  const side = await setUp(JSON.parse(process.argv[2] ?? ''));
  say({ ready: true });
  for await (const line of createInterface({ input: process.stdin })) {
    say({ reports: [await side.run(Number(line))].flat() });
  }
  await side.close();
} catch (error) {
  say({ failed: String(error instanceof Error ? error.stack : error) });
  // What was being waited for will not come any more.
  process.exit(1);
}
