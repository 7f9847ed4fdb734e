// @ts-check
/**
 * One side of a meeting, to be killed at some step of it: `listen` listens, accepts one client, talks and closes; `connect` connects,
 * talks and closes. With a second argument, that is the authkey.
 */
import { Pipe } from '../../../dist/index.js';
import { Ears, say } from './line.mjs';

const [life = '', authkey] = process.argv.slice(2);
await new Ears().line();

if (life === 'listen') {
  const listener = Pipe.listen('door', { authkey });
  say('listening');
  const connection = await listener.accept();
  say('accepted');
  await connection.send(await connection.recv());
  connection.close();
  listener.close();
} else {
  const connection = await Pipe.connect('door', { authkey, timeoutMs: 60_000 });
  say('connected');
  await connection.send('mine');
  await connection.recv();
  connection.close();
}
say('lived');
