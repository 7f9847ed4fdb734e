// @ts-check
/** Connects as often as it is told, says so, and on a line `numbers` sends over these connections what they are called by. */
import { Pipe } from '../../../dist/index.js';
import { Ears, say } from './line.mjs';

const [count = '0'] = process.argv.slice(2);
const ears = new Ears();
/** @type {import('../../../dist/index.js').Connection[]} */
const connections = [];
for (let i = 0; i < Number(count); i++) {
  const connection = await Pipe.connect('many', { timeoutMs: 60_000 });
  await connection.send(i);
  connections.push(connection);
}
say('connected');
for (;;) {
  const line = await ears.line();
  if (line === undefined) break;
  for (const number of /** @type {number[]} */ (JSON.parse(line))) {
    await connections[number]?.send(number);
  }
  say('sent');
}
