/** What a broker inherits of whoever starts it, and is to let go of at once: a pipe that it kept would have no end, say. */

import { closeSync, fstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';

const O_CLOEXEC = 0o2000000;

/**
 * What every child of this process inherits, besides the first three, for `letGo`. Node marks what it opens and, at its start, most
 * of what it has inherited itself, so that no child gets it; addons need not.
 */
export function inheritance(): string {
  try {
    return readdirSync('/proc/self/fdinfo')
      .map(Number)
      .filter((descriptor) => descriptor > 2)
      .flatMap(describe)
      .join();
  } catch {
    return ''; // no such directory here
  }
}

/** Nothing, if no child gets it. */
function describe(descriptor: number): string[] {
  try {
    const facts = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1');
    const flags = Number.parseInt(/^flags:\s+(\d+)/m.exec(facts)?.[1] ?? '', 8);
    if ((flags & O_CLOEXEC) !== 0) return [];
    // One that polls or counts events keeps nobody waiting, and may have its inode in common with all others.
    if (readlinkSync(`/proc/self/fd/${descriptor}`).startsWith('anon_inode:')) return [];
    return [`${descriptor}:${identityOf(descriptor)}`];
  } catch {
    return []; // it was closed meanwhile: the one that lists them, say
  }
}

function identityOf(descriptor: number): string {
  const { dev, ino } = fstatSync(descriptor, { bigint: true });
  return `${dev}:${ino}`;
}

/** A number whose file another thread has closed since it was listed may be one of this process's own by now: that stays. */
export function letGo(inheritance: string): void {
  for (const each of inheritance.split(',').filter(Boolean)) {
    const colon = each.indexOf(':');
    const descriptor = Number(each.slice(0, colon));
    try {
      if (identityOf(descriptor) === each.slice(colon + 1)) closeSync(descriptor);
    } catch {
      // Nothing has this number now.
    }
  }
}
