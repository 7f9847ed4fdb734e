import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll } from 'vitest';

const BUILD_WATCHDOG_MS = 900_000;

/** Has the addon with the named fault points built before the tests of a file; tells what a program is to be given to meet one. */
export function faultAddon(): (fault: string) => { readonly environment: Record<string, string> } {
  let addon = '';
  beforeAll(() => {
    const script = fileURLToPath(new URL('../../scripts/build-fault-addon.mjs', import.meta.url));
    addon = execFileSync(process.execPath, [script], { encoding: 'utf8' }).trim();
  }, BUILD_WATCHDOG_MS);
  return (fault) => ({ environment: { INTERPROC_ADDON: addon, INTERPROC_FAULT: fault } });
}
