// @ts-check
/** A thread with a server, since the one that has the line is blocked. What it does with whom comes is in `role`. */
import { createServer } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

/** @type {{ address: string, role: string, bytes: number }} */
const { address, role, bytes } = workerData;

createServer((socket) => {
  socket.on('error', () => {});
  parentPort?.postMessage('connected');
  if (role === 'echo') socket.pipe(socket);
  if (role === 'deaf') socket.pause();
  if (role === 'last words') socket.end(Buffer.alloc(bytes, 7));
  if (role === 'hang up') {
    parentPort?.once('message', ({ flag }) => {
      socket.destroy();
      socket.once('close', () => {
        Atomics.store(flag, 0, 1);
        Atomics.notify(flag, 0);
      });
    });
  }
}).listen({ path: address }, () => parentPort?.postMessage('listens'));
