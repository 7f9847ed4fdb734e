/** The one-way imports of the house, as functions of file names and texts: each returns the violations, in words. */
import { posix } from 'node:path';

/** Path relative to the checkout, with `/`, to the file's text. */
export type Sources = ReadonlyMap<string, string>;

/** Left to right: a room imports itself and what stands before it. Rooms of one entry stand side by side. */
const TS_ORDER: ReadonlyArray<readonly string[]> = [
  ['errors'],
  ['contract'],
  ['shapes'],
  ['codec'],
  ['primitives'],
  ['process'],
  ['pool'],
  ['manager'],
  ['csp'],
  ['backend-choice'],
  ['context'],
  ['index', 'ring', 'posix'],
  ['cli'],
];
const BACKENDS = 'backends';
const BACKENDS_MAY_IMPORT: readonly string[] = ['errors', 'contract'];
/** What several of them are made of; it imports none of them. */
const SHARED_BY_BACKENDS = 'brokered';
const MAY_IMPORT_BACKENDS = 'context';
const MAY_LOAD_THE_ADDON = 'src/backends/native/';

const NATIVE_ORDER: readonly string[] = ['platform', 'memory', 'sync', 'state', 'ring', 'binding'];
const OS_ROOM = 'platform';
const JS_ROOM = 'binding';

const OS_HEADER =
  /^(?:(?:sys|linux|asm|bits|mach|arpa|net|netinet)\/.*|(?:unistd|fcntl|pthread|semaphore|signal|poll|sched|spawn|dirent|mqueue|pwd|grp|syscall|dlfcn|aio|windows)\.h|csignal)$/;
const JS_HEADER = /^(?:napi|node|node_api|js_native_api|uv|v8|nan)(?:[-_/].*)?\.h$/;

/**
 * Module specifiers of a TypeScript file. Statements start a line in formatted sources, which tells them from prose and
 * examples in comments; what is left of the doubt counts as an import.
 */
function importsOf(text: string): string[] {
  const statement = /^[ \t]*(?:import|export)\b(?:[^'"`;()]*?\bfrom)?\s*['"]([^'"\n]+)['"]/gm;
  const call = /^(?![ \t]*(?:\/\/|\/?\*)).*?\b(?:import|require)\s*\(\s*['"]([^'"\n]+)['"]/gm;
  return [...text.matchAll(statement), ...text.matchAll(call)].map((match) => match[1] ?? '');
}

function includesOf(text: string): Array<{ name: string; isSystem: boolean }> {
  return [...text.matchAll(/^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]/gm)].map((match) => ({
    name: match[2] ?? '',
    isSystem: match[1] === '<',
  }));
}

/** `src/pool/pool.ts` -> `pool`; `src/context.ts` -> `context`. */
function roomOfTs(path: string): string {
  return (path.split('/')[1] ?? '').replace(/\.[cm]?[jt]s$/, '');
}

function tsRank(room: string): number {
  return TS_ORDER.findIndex((rooms) => rooms.includes(room));
}

function tsImportIsAllowed(from: string, to: string, fromRoom: string, toRoom: string): boolean {
  if (fromRoom === BACKENDS) {
    const backend = to.split('/')[2];
    const isOwn = backend === from.split('/')[2] || backend === SHARED_BY_BACKENDS;
    return toRoom === BACKENDS ? isOwn : BACKENDS_MAY_IMPORT.includes(toRoom);
  }
  if (toRoom === BACKENDS) return fromRoom === MAY_IMPORT_BACKENDS;
  return toRoom === fromRoom || (tsRank(toRoom) >= 0 && tsRank(toRoom) < tsRank(fromRoom));
}

/** Looks at `src/**` only; other files of the map are passed over. */
export function tsViolations(sources: Sources): string[] {
  const violations: string[] = [];
  for (const [path, text] of sources) {
    if (!path.startsWith('src/')) continue;
    const room = roomOfTs(path);
    if (room !== BACKENDS && tsRank(room) < 0) {
      violations.push(`${path}: '${room}' is no room of the house`);
      continue;
    }
    for (const specifier of importsOf(text)) {
      if (/^interproc(?:\/|$)/.test(specifier)) {
        violations.push(`${path}: imports its own package by name ('${specifier}')`);
        continue;
      }
      if (!specifier.startsWith('.')) continue;
      if (specifier.endsWith('.node') && path.startsWith(MAY_LOAD_THE_ADDON)) continue;
      const target = posix.join(posix.dirname(path), specifier);
      if (!target.startsWith('src/')) {
        violations.push(`${path}: imports '${specifier}', outside src/`);
      } else if (!tsImportIsAllowed(path, target, room, roomOfTs(target))) {
        violations.push(`${path}: ${room} must not import ${roomOfTs(target)} ('${specifier}')`);
      }
    }
  }
  return violations;
}

/** Looks at the rooms of `native/` only: tests, models and benchmarks may include what they like. */
export function nativeViolations(sources: Sources): string[] {
  const violations: string[] = [];
  for (const [path, text] of sources) {
    const room = nativeRoomOf(path);
    if (room === undefined) continue;
    for (const { name, isSystem } of includesOf(text)) {
      const problem = isSystem
        ? systemIncludeProblem(room, name)
        : projectIncludeProblem(room, name);
      if (problem !== undefined) violations.push(`${path}: ${problem}`);
    }
  }
  return violations;
}

function nativeRoomOf(path: string): string | undefined {
  const [top, room] = path.split('/');
  return top === 'native' && room !== undefined && NATIVE_ORDER.includes(room) ? room : undefined;
}

function systemIncludeProblem(room: string, name: string): string | undefined {
  if (OS_HEADER.test(name) && room !== OS_ROOM) {
    return `<${name}> names the operating system, which only ${OS_ROOM}/ may`;
  }
  if (JS_HEADER.test(name) && room !== JS_ROOM) {
    return `<${name}> knows of JavaScript, which only ${JS_ROOM}/ may`;
  }
  const [first = ''] = name.split('/');
  if (name.includes('/') && NATIVE_ORDER.includes(first)) {
    return `<${name}> is ours: include it as "${name}"`;
  }
  return undefined;
}

function projectIncludeProblem(room: string, name: string): string | undefined {
  const [target = ''] = name.split('/');
  if (!name.includes('/') || !NATIVE_ORDER.includes(target)) {
    return `"${name}" does not say its room: write "room/name.h"`;
  }
  if (NATIVE_ORDER.indexOf(target) > NATIVE_ORDER.indexOf(room)) {
    return `${room} must not include ${target} ("${name}")`;
  }
  return undefined;
}

/** Sources of the rooms that a build file lists, in its order; `#` starts a comment in both kinds. */
export function listedSources(buildFile: string): string[] {
  const rooms = NATIVE_ORDER.join('|');
  return [
    ...buildFile
      .replace(/#.*$/gm, '')
      .matchAll(new RegExp(`native/(?:${rooms})/[\\w/]+\\.cc`, 'g')),
  ].map(([path]) => path);
}

/** The build files against each other and against the sources that are there. */
export function buildListViolations(sources: Sources): string[] {
  const violations: string[] = [];
  const present = [...sources.keys()].filter(
    (path) => nativeRoomOf(path) !== undefined && path.endsWith('.cc'),
  );
  for (const buildFile of ['binding.gyp', 'CMakeLists.txt']) {
    const listed = listedSources(sources.get(buildFile) ?? '');
    const seen = new Set<string>();
    for (const path of listed) {
      if (seen.has(path)) violations.push(`${buildFile}: lists ${path} twice`);
      seen.add(path);
    }
    for (const path of seen) {
      if (!present.includes(path)) violations.push(`${buildFile}: lists ${path}, which is missing`);
    }
    for (const path of present) {
      if (!seen.has(path)) violations.push(`${buildFile}: does not list ${path}`);
    }
  }
  return violations;
}
