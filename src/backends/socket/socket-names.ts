/**
 * The names of the broker's objects as the native backend sees them. Each is marked by a further name of the broker's socket, in
 * the place where a segment would be: made in one step, and only where nothing is. Native opens no socket, and a segment is no
 * socket, so that each finds that the other has the name. A marker is as dead as the broker that it leads to.
 */

import {
  closeSync,
  linkSync,
  lstatSync,
  openSync,
  readSync,
  readdirSync,
  unlinkSync,
} from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { join } from 'node:path';

import { InterprocError } from '../../errors.js';
import type { OpenMode } from '../../contract/shared-object.js';
import type { NameKeeper } from '../brokered/hub/catalogue.js';
import { isListening } from './listening.js';
import { removeIfSame } from './seat.js';
import type { Seat } from './seat.js';
import { PUBLIC_NAME, errorCode, systemError, withSocketPath } from './socket-directory.js';

/** What the file of a segment begins with. */
const SEGMENT_MAGIC = 'PINPRC01';

export class SocketNames implements NameKeeper {
  /** Whether there is an object of that name, by now. */
  isThere: (name: string) => boolean = () => true;
  readonly #directory: string;
  readonly #sockets: string;
  readonly #seat: Seat;

  /** `sockets`: the directory in which the seat is. */
  constructor(directory: string, sockets: string, seat: Seat) {
    this.#directory = directory;
    this.#sockets = sockets;
    this.#seat = seat;
  }

  claim(name: string, mode: OpenMode): void {
    const path = join(this.#directory, name);
    if (mode === 'open') {
      const found = look(path);
      if (found !== undefined && !found.isSocket()) throw takenBySegment(path, name);
      return;
    }
    while (!this.#mark(path)) {
      const found = look(path);
      if (found === undefined) continue;
      if (!found.isSocket()) throw takenBySegment(path, name);
      if (found.ino === this.#seat.inode) break;
      this.#takeFromDead(name, found.ino);
    }
    // What it was claimed for may have come to nothing.
    setImmediate(() => {
      if (!this.isThere(name)) this.release(name);
    });
  }

  /** Whether nothing was there. @throws ERR_BROKER, ERR_NO_SPACE, ERR_PERMISSION, ERR_SYSTEM */
  #mark(path: string): boolean {
    try {
      linkSync(this.#seat.key, path);
      return true;
    } catch (error) {
      const code = errorCode(error);
      if (code === 'EEXIST') return false;
      if (code === 'ENOENT') {
        throw new InterprocError(
          'ERR_BROKER',
          `'${this.#directory}' was removed from under its broker; close everything that is open there, and open it again`,
        );
      }
      throw systemError(`mark the name '${path}'`, error);
    }
  }

  #takeFromDead(name: string, inode: bigint): void {
    const isOurs = keysOf(this.#sockets).some(({ inode: key }) => key === inode);
    if (!isOurs || !this.#seat.isTaken) {
      throw new InterprocError(
        isOurs ? 'ERR_BROKER' : 'ERR_PERMISSION',
        isOurs
          ? `Another broker serves '${this.#directory}' by now; close everything that is open there, and open it again`
          : `'${join(this.#directory, name)}' is a socket of some other program; choose another name`,
      );
    }
    removeIfSame(this.#directory, name, inode, this.#sockets);
  }

  release(name: string): void {
    this.#releaseIfOurs(join(this.#directory, name));
  }

  #releaseIfOurs(path: string): void {
    try {
      if (look(path)?.ino === this.#seat.inode) unlinkSync(path);
    } catch {
      // Whoever comes finds that it leads to nobody.
    }
  }

  /** The broker leaves. */
  releaseAll(names: Iterable<string>): void {
    for (const name of names) this.release(name);
  }
}

function look(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

/** There is a file, which is no marker. */
function takenBySegment(path: string, name: string): InterprocError {
  if (beginsAsSegment(path)) {
    return new InterprocError(
      'ERR_BACKEND',
      `The native backend has an object of the name '${name}'; use that backend here too (INTERPROC_BACKEND=native or { backend: 'native' }), or choose another name. If nobody has it open any more, prune() there removes it`,
    );
  }
  return new InterprocError(
    'ERR_PERMISSION',
    `'${path}' is there, and no object of interproc; choose another name, or remove it`,
  );
}

function beginsAsSegment(path: string): boolean {
  const begin = Buffer.alloc(SEGMENT_MAGIC.length);
  try {
    const file = openSync(path, 'r');
    try {
      readSync(file, begin, 0, begin.length, 0);
    } finally {
      closeSync(file);
    }
  } catch {
    // It went away, say, or is a directory.
  }
  return begin.toString('latin1') === SEGMENT_MAGIC;
}

interface Key {
  readonly name: string;
  readonly inode: bigint;
}

/** Of all brokers that are or were, and of those that are about to be. */
function keysOf(sockets: string): Key[] {
  const keys: Key[] = [];
  for (const name of readdirSync(sockets)) {
    const found = name === PUBLIC_NAME ? undefined : look(join(sockets, name));
    if (found?.isSocket() === true) keys.push({ name, inode: found.ino });
  }
  return keys;
}

/** What brokers before us left when they were killed: their markers first, then their keys. */
export async function sweep(directory: string, sockets: string, seat: Seat): Promise<void> {
  const others = keysOf(sockets).filter(({ inode }) => inode !== seat.inode);
  if (others.length === 0) return;
  removeMarkers(directory, sockets, others);
  for (const { name, inode } of others) {
    const isDead = !(await withSocketPath(sockets, name, isListening));
    if (isDead) removeIfSame(sockets, name, inode, sockets);
  }
}

/** Where no broker is: what the last one has marked. Its key goes when the next one comes. */
export function removeAllMarkers(directory: string, sockets: string): void {
  const keys = keysOf(sockets);
  if (keys.length > 0) removeMarkers(directory, sockets, keys);
}

function removeMarkers(directory: string, sockets: string, keys: readonly Key[]): void {
  const inodes = new Set(keys.map(({ inode }) => inode));
  for (const name of readdirSync(directory)) {
    const found = look(join(directory, name));
    if (found?.isSocket() === true && inodes.has(found.ino)) {
      removeIfSame(directory, name, found.ino, sockets);
    }
  }
}
