import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where a local socket of that name listens: where the system can, nowhere in the file system. */
export function socketAddress(name: string, platform: NodeJS.Platform = process.platform): string {
  const full = `interproc-${name}`;
  if (platform === 'linux') return `\0${full}`;
  if (platform === 'win32') return `\\\\.\\pipe\\${full}`;
  return join(tmpdir(), full);
}
