// @ts-check
/** Waits for as many clients as it is told, and then for all of their connections at once, until each was ready and has ended. */
import { Pipe, wait } from '../../../dist/index.js';
import { say } from './line.mjs';

const [count = '0'] = process.argv.slice(2);
const listener = Pipe.listen('many', { backlog: Number(count), capacityBytes: 4096 });
say('listening');
/** @type {Map<import('../../../dist/index.js').Connection, number>} */
const open = new Map();
for (let i = 0; i < Number(count); i++) {
  const connection = await listener.accept();
  open.set(connection, /** @type {number} */ (await connection.recv()));
}
listener.close();
say('waiting');
/** @type {number[]} */
const order = [];
let calls = 0;
while (open.size > 0) {
  calls++;
  const ready = await wait([...open.keys()]);
  for (const connection of ready) {
    const message = connection.tryRecv('none');
    if (message === 'none') throw new Error('told of a connection without a message');
    const number = open.get(connection);
    if (message !== number) throw new Error(`connection ${number} got the message of ${message}`);
    order.push(/** @type {number} */ (number));
    open.delete(connection);
    connection.close();
  }
}
say('served', { order, calls });
