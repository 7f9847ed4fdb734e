/** The file of a journal, as both sides have it. */

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

import type { JournalFile, JournalSource } from '../brokered/journal.js';
import { errorCode } from './socket-directory.js';

const READ_BYTES = 2 ** 18;
const NOTHING = Buffer.alloc(0);

/** Of all journals of a broker: what is read into it is heard at once. */
let buffer: Buffer | undefined;

class ReadFile implements JournalSource {
  readonly path: string;
  readonly #descriptor: number;
  /** What was read ends there, */
  #at = 0;
  /** and what has come here. */
  #end = 0;
  #isHidden = false;

  /** @throws the system's errors */
  constructor(path: string) {
    this.path = path;
    this.#descriptor = openSync(
      path,
      constants.O_CREAT | constants.O_EXCL | constants.O_RDWR,
      0o600,
    );
  }

  look(): number {
    // SYNC journal.size: it says that bytes are there when they are, and so is the page in which they stand. A read that goes beyond it may
    // find no page, and then a size that it is well within: that would read as zeros.
    this.#end = fstatSync(this.#descriptor).size;
    return this.#end;
  }

  read(): Buffer {
    const bytes = Math.min(this.#end - this.#at, READ_BYTES);
    if (bytes <= 0) return NOTHING;
    buffer ??= Buffer.allocUnsafeSlow(READ_BYTES);
    const read = readSync(this.#descriptor, buffer, 0, bytes, this.#at);
    this.#at += read;
    return buffer.subarray(0, read);
  }

  unread(bytes: number): void {
    this.#at -= bytes;
  }

  empty(): void {
    if (this.#at > 0) ftruncateSync(this.#descriptor, 0);
    this.#at = 0;
    this.#end = 0;
  }

  hide(): void {
    if (this.#isHidden) return;
    this.#isHidden = true;
    try {
      unlinkSync(this.path);
    } catch {
      // The directory was cleared away.
    }
  }

  close(): void {
    this.hide();
    closeSync(this.#descriptor);
  }
}

class AppendedFile implements JournalFile {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  append(at: number, bytes: Uint8Array, begin: number, length: number): boolean {
    try {
      // SYNC journal.size: what is appended by one write may come in pieces. To say where costs less than to let the kernel look.
      return writeSync(this.#descriptor, bytes, begin, length, at) === length;
    } catch (error) {
      const code = errorCode(error);
      if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EINTR' || code === 'EFBIG')
        return false;
      throw error;
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** undefined: there is no room for it, or no such directory any more. */
export function makeJournal(directory: string): JournalSource | undefined {
  try {
    return new ReadFile(join(directory, `journal-${randomBytes(12).toString('hex')}`));
  } catch {
    return undefined;
  }
}

/** undefined: it cannot be opened, or is not what it should be. */
export function openJournal(path: string): JournalFile | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
  } catch {
    return undefined;
  }
  const facts = fstatSync(descriptor);
  if (facts.isFile() && facts.uid === process.geteuid?.()) return new AppendedFile(descriptor);
  closeSync(descriptor);
  return undefined;
}
