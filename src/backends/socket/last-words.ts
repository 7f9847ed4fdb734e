/** What a broker that does not come to anything says of that: a file, which loses its name at once. */

import { openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { usesPipes } from './pipes.js';
import { privateName } from './seat.js';

const BEGINNING = 'interproc-words-';

/** Its descriptor. `sockets`: their directory. @throws the system's errors */
export function openWords(sockets: string): number {
  // Windows keeps the file until it is closed, and its directory with it; so there it is in nobody's way.
  const file = join(usesPipes() ? tmpdir() : sockets, BEGINNING + privateName());
  const descriptor = openSync(file, 'wx+', 0o600);
  // A broker may have swept it.
  rmSync(file, { force: true });
  return descriptor;
}

/** Removes those of the killed. To whoever is about to do that himself it makes no difference. */
export function sweepWords(sockets: string): void {
  for (const name of readdirSync(sockets)) {
    if (name.startsWith(BEGINNING)) rmSync(join(sockets, name), { force: true });
  }
}
