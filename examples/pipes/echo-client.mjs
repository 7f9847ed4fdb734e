// @ts-check
// Sends its words to echo-server.mjs, which need not run yet, and prints what comes back.
//   node echo-client.mjs Hello World
import { AuthenticationError, Pipe } from '../../dist/index.js';

try {
  /** @type {import('../../dist/index.js').Connection<string>} */
  const connection = await Pipe.connect('echo', {
    authkey: process.env['ECHO_KEY'] ?? 'between us two',
    timeoutMs: 60_000,
  });
  for (const word of process.argv.slice(2)) {
    await connection.send(word);
    if (word !== 'stop') console.log(await connection.recv());
  }
  connection.close();
} catch (error) {
  if (!(error instanceof AuthenticationError)) throw error;
  console.log('turned away');
}
