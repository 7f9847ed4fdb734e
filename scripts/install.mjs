// What `npm install` runs, of a checkout and of the package: builds the addon. Where it cannot be built everything lives on the
// backend 'socket', so that is no failure, unless INTERPROC_REQUIRE_ADDON=1 makes it one.
import { spawnSync } from 'node:child_process';

function build() {
  if (process.platform !== 'linux') return `it is for Linux, and this is ${process.platform}`;
  const { status, signal, error } = spawnSync('node-gyp', ['rebuild'], { stdio: 'inherit' });
  if (error !== undefined) return error.message;
  return status === 0 ? undefined : `node-gyp ended with ${status ?? signal}`;
}

const problem = build();
if (problem !== undefined) {
  console.error(`interproc: the native addon could not be built (${problem}).`);
  if (process.env['INTERPROC_REQUIRE_ADDON'] === '1') process.exit(1);
  console.error(
    `interproc: The backend 'socket', which is plain JavaScript, is used instead; it is slower. With a C++20 compiler, make and Python 3, 'npm rebuild interproc' builds the addon. INTERPROC_REQUIRE_ADDON=1 makes this a failure.`,
  );
}
