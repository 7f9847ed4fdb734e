/** Whether somebody listens at a socket's address. */

import { connect } from 'node:net';

import { errorCode } from './socket-directory.js';

/** Only where nobody does is the connection refused, or the address none. Whoever is met hears nothing but the end. */
export function isListening(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path: address });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', (error) => {
      const code = errorCode(error);
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT');
    });
  });
}
