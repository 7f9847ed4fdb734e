/**
 * The one seat of a directory's broker: its public name. Who wants it listens under a name of its own first, and links that to the
 * public one, so that a public name always leads to somebody who listens, or did until he was killed. The other name is kept: it is
 * the *key*, by which what the broker has marked is known for its own (socket-names.ts).
 */

import { randomBytes } from 'node:crypto';
import { linkSync, lstatSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

import { isListening } from './listening.js';
import { PUBLIC_NAME, errorCode, withSocketPath } from './socket-directory.js';

/** A name that nobody else has. */
export function privateName(): string {
  return `${process.pid}-${randomBytes(6).toString('hex')}`;
}

function inodeOf(path: string): bigint | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}

export class Seat {
  /** The path of the other name. */
  readonly key: string;
  /** Of the socket, whatever its name. */
  readonly inode: bigint;
  readonly #path: string;

  private constructor(path: string, key: string, inode: bigint) {
    this.#path = path;
    this.key = key;
    this.inode = inode;
  }

  /** Takes it for whoever listens under that private name; undefined: somebody has it, and the private name is gone. */
  static async take(directory: string, own: string): Promise<Seat | undefined> {
    const ownPath = join(directory, own);
    const path = join(directory, PUBLIC_NAME);
    const inode = inodeOf(ownPath);
    if (inode === undefined) return undefined;
    for (;;) {
      if (linked(ownPath, path)) return new Seat(path, ownPath, inode);
      const found = inodeOf(path);
      if (found === undefined) continue;
      if (await withSocketPath(directory, PUBLIC_NAME, isListening)) break;
      removeIfSame(directory, PUBLIC_NAME, found, directory);
    }
    rmSync(ownPath, { force: true });
    return undefined;
  }

  /** Whether it still is this broker's: another may have it, or the directory be gone. */
  get isTaken(): boolean {
    return inodeOf(this.#path) === this.inode;
  }

  /** Nobody new finds this broker any more. */
  leave(): void {
    if (this.isTaken) unlinkSync(this.#path);
  }

  /** Nor what it has marked. */
  forget(): void {
    rmSync(this.key, { force: true });
  }
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a name of a dead one's socket, by way of `sockets`. What is another's by the time it is taken away, goes back. */
export function removeIfSame(
  directory: string,
  name: string,
  inode: bigint,
  sockets: string,
): void {
  const path = join(directory, name);
  const aside = join(sockets, `aside-${privateName()}`);
  try {
    renameSync(path, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  if (inodeOf(aside) === inode) unlinkSync(aside);
  else putBack(aside, path);
}

/** As long as it can have two names, the name is taken from nobody who has come to it meanwhile. */
function putBack(aside: string, path: string): void {
  try {
    linked(aside, path);
  } catch {
    // No room for one more, or as many as it may have: nobody has come, as far as one can know.
    renameSync(aside, path);
    return;
  }
  unlinkSync(aside);
}
