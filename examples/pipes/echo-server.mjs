// @ts-check
// Gives every client back what it sends, in capitals, many clients at a time. Stops when one of them says so.
//   node echo-server.mjs      and, in other terminals, as often as you like:     node echo-client.mjs Hello World
import { Pipe } from '../../dist/index.js';

/** @type {import('../../dist/index.js').Listener<string>} */
const listener = Pipe.listen('echo', { authkey: process.env['ECHO_KEY'] ?? 'between us two' });

/** @param {import('../../dist/index.js').Connection<string>} connection */
async function serve(connection) {
  let count = 0;
  // Ends when the client closes its end, or dies.
  for await (const word of connection) {
    if (word === 'stop') listener.close();
    else await connection.send(word.toUpperCase());
    count++;
  }
  connection.close();
  return count;
}

let clients = 0;
const served = [];
for await (const connection of listener) {
  clients++;
  served.push(serve(connection));
}
const counts = await Promise.all(served);
console.log(
  `${clients} clients, ${counts.reduce((sum, count) => sum + count, 0)} messages, ${listener.rejected} turned away`,
);
