/** The Nodes under which the tests of ends are run: this one, and those that INTERPROC_NODES lists, separated by colons. */
import { execFileSync } from 'node:child_process';

export interface NodeBinary {
  readonly version: string;
  readonly path: string;
}

const others = (process.env['INTERPROC_NODES'] ?? '').split(':').filter((path) => path !== '');

export const nodes: readonly NodeBinary[] = [
  { version: process.version, path: process.execPath },
  ...others.map((path) => ({
    version: execFileSync(path, ['--version'], { encoding: 'utf8' }).trim(),
    path,
  })),
];
