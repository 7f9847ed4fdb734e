/** Starts the broker of a directory. */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The built one, also for sources that run as they are. */
function programFile(): string {
  const here = import.meta.url.replace('/src/backends/', '/dist/backends/');
  return fileURLToPath(new URL('broker-process.js', here));
}

/** It is nobody's: it keeps no terminal, no directory and nobody alive, and outlives who started it. */
export function launchBroker(directory: string): void {
  const { LD_LIBRARY_PATH } = process.env;
  const broker = spawn(process.execPath, [programFile(), directory], {
    detached: true,
    stdio: 'ignore',
    cwd: '/',
    env: {
      ELECTRON_RUN_AS_NODE: '1',
      ...(LD_LIBRARY_PATH === undefined ? {} : { LD_LIBRARY_PATH }),
    },
  });
  // Whether it came to anything, connecting to it tells.
  broker.on('error', () => {});
  broker.unref();
}
