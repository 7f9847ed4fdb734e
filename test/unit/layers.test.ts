import { readdirSync, readFileSync } from 'node:fs';
import { posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { buildListViolations, listedSources, nativeViolations, tsViolations } from './layers.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

function readCheckout(): Map<string, string> {
  const paths = ['binding.gyp', 'CMakeLists.txt'];
  for (const top of ['src', 'native']) {
    for (const entry of readdirSync(posix.join(root, top), {
      recursive: true,
      withFileTypes: true,
    })) {
      const path = posix.join(entry.parentPath, entry.name);
      if (entry.isFile()) paths.push(relative(root, path).split(sep).join('/'));
    }
  }
  return new Map(
    paths
      .filter((path) => /\.(?:ts|cc|h|gyp|txt)$/.test(path))
      .map((path) => [path, readFileSync(posix.join(root, path), 'utf8')]),
  );
}

describe('this checkout', () => {
  const sources = readCheckout();

  it('has sources to look at', () => {
    const paths = [...sources.keys()];
    expect(paths.some((path) => path.startsWith('src/'))).toBe(true);
    expect(paths.some((path) => path.startsWith('native/'))).toBe(true);
  });

  it('imports one way in TypeScript', () => {
    expect(tsViolations(sources)).toEqual([]);
  });

  it('includes one way in C++, and names the operating system in platform/ only', () => {
    expect(nativeViolations(sources)).toEqual([]);
  });

  it('lists the same sources, all of them, in binding.gyp and CMakeLists.txt', () => {
    expect(buildListViolations(sources)).toEqual([]);
  });
});

describe('the check of TypeScript imports', () => {
  const check = (path: string, text: string) => tsViolations(new Map([[path, text]]));

  it.each([
    ['src/codec/json.ts', `import { InterprocError } from '../errors.js';`],
    ['src/codec/json.ts', `import { tag } from './tags.js';`],
    ['src/codec/struct.ts', `import { Struct } from '../shapes/struct.js';`],
    ['src/primitives/queue.ts', `import type { Ring } from '../contract/ring.js';`],
    ['src/cli/main.ts', `import { Queue } from '../index.js';`],
    ['src/context.ts', `import { open } from './backends/native/backend.js';`],
    ['src/context.ts', `const backend = await import('./backends/native/backend.js');`],
    ['src/backends/native/backend.ts', `import type { Ring } from '../../contract/ring.js';`],
    ['src/backends/native/backend.ts', `import { load } from './addon.js';`],
    ['src/backends/native/addon.ts', `require('../../../build/Release/interproc.node');`],
    ['src/ring.ts', `export * from './context.js';`],
    ['src/errors.ts', `import { inspect } from 'node:util';`],
    ['src/errors.ts', `/**\n * import { Queue } from './index.js';\n */`],
    ['src/errors.ts', `// const queue = await import('./index.js');`],
    ['src/errors.ts', `export const hint = 'export it';\nconst from = './index.js';`],
  ])('accepts in %s: %s', (path, text) => {
    expect(check(path, text)).toEqual([]);
  });

  it.each([
    ['src/errors.ts', `import type { Ring } from './contract/ring.js';`],
    ['src/errors.ts', `import './contract/ring.js';`],
    ['src/errors.ts', `export * from './contract/ring.js';`],
    ['src/errors.ts', `import {\n  a,\n  b,\n} from "./contract/ring.js";`],
    ['src/shapes/struct.ts', `import type { Codec } from '../codec/codec.js';`],
    ['src/codec/json.ts', `type Queue = import('../primitives/queue.js').Queue;`],
    ['src/codec/json.ts', `const queue = require('../primitives/queue.js');`],
    ['src/primitives/queue.ts', `const context = await import('../context.js');`],
    ['src/pool/pool.ts', `import { open } from '../backends/native/backend.js';`],
    ['src/cli/main.ts', `import { open } from '../backends/native/backend.js';`],
    ['src/index.ts', `export * from './ring.js';`],
    ['src/index.ts', `export * from './cli/main.js';`],
    ['src/backends/native/backend.ts', `import { encode } from '../../codec/json.js';`],
    ['src/backends/native/backend.ts', `import { dial } from '../socket/client.js';`],
    ['src/backends/socket/addon.ts', `require('../../../build/Release/interproc.node');`],
    ['src/pool/pool.ts', `import { Queue } from 'interproc';`],
    ['src/pool/pool.ts', `import { version } from '../../package.json';`],
    ['src/pool/pool.ts', `import { pad } from '../strings/pad.js';`],
    ['src/strings/pad.ts', `export const pad = 1;`],
  ])('refuses in %s: %s', (path, text) => {
    expect(check(path, text)).toHaveLength(1);
  });
});

describe('the check of C++ includes', () => {
  const check = (path: string, text: string) => nativeViolations(new Map([[path, text]]));

  it.each([
    ['native/ring/queue.cc', '#include "ring/queue.h"'],
    ['native/ring/queue.cc', '#include "platform/clock.h"'],
    ['native/ring/queue.cc', '#include <atomic>'],
    ['native/ring/queue.cc', '// like <unistd.h>, but "sync/x.h"'],
    ['native/platform/file.cc', '#include <sys/mman.h>'],
    ['native/binding/addon.cc', '#include <napi.h>\n#include <uv.h>\n#include "ring/queue.h"'],
    ['native/test/queue_test.cc', '#include <unistd.h>\n#include "ring/queue.h"'],
  ])('accepts in %s: %s', (path, text) => {
    expect(check(path, text)).toEqual([]);
  });

  it.each([
    ['native/platform/clock.h', '#include "memory/segment.h"'],
    ['native/sync/waiters.h', '#  include "ring/queue.h"'],
    ['native/ring/queue.cc', '#include "queue.h"'],
    ['native/ring/queue.cc', '#include "../platform/clock.h"'],
    ['native/ring/queue.cc', '#include "test/clock.h"'],
    ['native/ring/queue.cc', '#include <platform/clock.h>'],
    ['native/ring/queue.cc', '#include <sys/mman.h>'],
    ['native/ring/queue.cc', '#include <fcntl.h>'],
    ['native/ring/queue.cc', '#include <napi.h>'],
    ['native/memory/segment.cc', '#include <sys/syscall.h>'],
    ['native/memory/segment.cc', '#include <uv.h>'],
    ['native/sync/doorbell.cc', '#include <linux/futex.h>'],
    ['native/binding/addon.cc', '#include <unistd.h>'],
  ])('refuses in %s: %s', (path, text) => {
    expect(check(path, text)).toHaveLength(1);
  });
});

describe('the check of the build files', () => {
  const clock = 'native/platform/clock.cc';
  const queue = 'native/ring/queue.cc';
  const check = (gyp: string, cmake: string) =>
    buildListViolations(
      new Map([
        ['binding.gyp', gyp],
        ['CMakeLists.txt', cmake],
        [clock, ''],
        [queue, ''],
        ['native/ring/queue.h', ''],
        ['native/test/queue_test.cc', ''],
      ]),
    );

  it('accepts lists that agree, in any order', () => {
    expect(check(`['${clock}', '${queue}']`, `${queue}\n${clock}`)).toEqual([]);
  });

  it.each([
    ['missing from one', `['${clock}', '${queue}']`, clock],
    ['only in a comment', `['${clock}', '${queue}']`, `${clock}\n# ${queue}`],
    ['listed twice', `['${clock}', '${queue}', '${clock}']`, `${clock}\n${queue}`],
    ['not on disk', `['${clock}', '${queue}']`, `${clock}\n${queue}\nnative/ring/gone.cc`],
  ])('refuses a source %s', (_, gyp, cmake) => {
    expect(check(gyp, cmake)).toHaveLength(1);
  });

  it('refuses a source that neither lists', () => {
    expect(check(`['${clock}']`, clock)).toEqual([
      `binding.gyp: does not list ${queue}`,
      `CMakeLists.txt: does not list ${queue}`,
    ]);
  });

  it('looks at the rooms only', () => {
    expect(listedSources('native/test/queue_test.cc native/ring/queue.cc')).toEqual([queue]);
  });
});
