/**
 * The one seat of a directory's broker: its public name. Who wants it listens under a name of its own first, and links that to the
 * public one, so that a public name always leads to somebody who listens, or did until he was killed.
 */

import { randomBytes } from 'node:crypto';
import { linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

import { PUBLIC_NAME, errorCode, withSocketPath } from './socket-directory.js';

/** A name that nobody else has. */
export function privateName(): string {
  return `${process.pid}-${randomBytes(6).toString('hex')}`;
}

function inodeOf(path: string): bigint | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}

/** Whether somebody listens there. Only a dead one's socket refuses. */
function isAlive(directory: string, name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = withSocketPath(directory, name, (path) => connect(path));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', (error) => resolve(errorCode(error) !== 'ECONNREFUSED'));
  });
}

export class Seat {
  readonly #path: string;
  readonly #inode: bigint;

  private constructor(path: string, inode: bigint) {
    this.#path = path;
    this.#inode = inode;
  }

  /** Takes it for whoever listens under that private name, which goes; undefined: somebody has it. */
  static async take(directory: string, own: string): Promise<Seat | undefined> {
    const ownPath = join(directory, own);
    const path = join(directory, PUBLIC_NAME);
    const inode = inodeOf(ownPath);
    if (inode === undefined) return undefined;
    try {
      for (;;) {
        if (linked(ownPath, path)) return new Seat(path, inode);
        const found = inodeOf(path);
        if (found === undefined) continue;
        if (await isAlive(directory, PUBLIC_NAME)) return undefined;
        removeIfSame(directory, PUBLIC_NAME, found);
      }
    } finally {
      unlinkSync(ownPath);
    }
  }

  /** Whether it still is this broker's: another may have it, or the directory be gone. */
  get isTaken(): boolean {
    return inodeOf(this.#path) === this.#inode;
  }

  /** Nobody new finds this broker any more. */
  leave(): void {
    if (this.isTaken) unlinkSync(this.#path);
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

/** Removes a dead one's socket. What is another's by the time it is taken away, goes back. */
function removeIfSame(directory: string, name: string, inode: bigint): void {
  const path = join(directory, name);
  const aside = join(directory, privateName());
  try {
    renameSync(path, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  if (inodeOf(aside) !== inode) linked(aside, path);
  unlinkSync(aside);
}
