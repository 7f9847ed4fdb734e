#!/usr/bin/env node
/** The program `interproc`. */

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { examine } from './doctor.js';
import { rendered } from './report.js';

const HELP = `Usage: interproc doctor [--json]

  doctor     what interproc finds here: which backend it uses and why, whether the
             addon loads, where objects live, and whether a message gets through;
             ends with 1 if it does not

  --json     the same for programs
  --version  of this package
  --help     this
`;

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

function run(args: string[]): number {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      json: { type: 'boolean', default: false },
      version: { type: 'boolean', default: false },
    },
  });
  if (values.version) {
    console.log(version());
    return 0;
  }
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const [command, ...rest] = positionals;
  if (command !== 'doctor' || rest.length > 0) {
    console.error(HELP);
    return 2;
  }
  const report = examine(version());
  console.log(values.json ? JSON.stringify(report, null, 2) : rendered(report));
  return report.isWell ? 0 : 1;
}

try {
  process.exitCode = run(process.argv.slice(2));
} catch (error) {
  // Of parseArgs: what it was given.
  console.error(`${(error as Error).message}\n\n${HELP}`);
  process.exitCode = 2;
}
