/** What `interproc doctor` finds out. Nothing here starts a broker, but for the self-test where the backend needs one. */

import { lstatSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import type { Capabilities, CapabilityName } from '../contract/capabilities.js';
import { absentIn } from '../contract/capabilities.js';
import type { BackendKind } from '../contract/channel.js';
import { addonFile, backend, list, Queue, registryOf } from '../context.js';

/** Why something is not as it should be: an error's code, if it has one, and its message. */
export interface Problem {
  readonly code: string | undefined;
  readonly message: string;
}

export interface AddonReport {
  readonly file: string;
  /** undefined: it loads. */
  readonly problem: Problem | undefined;
}

export interface BackendReport {
  readonly kind: BackendKind;
  readonly reason: string;
  readonly capabilities: Capabilities;
  readonly absent: readonly CapabilityName[];
}

export interface DirectoryReport {
  readonly path: string;
  /** It is made when the first object is. */
  readonly exists: boolean;
  /** As `ls` counts: 0o700 is 448. */
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly freeBytes: number | undefined;
  readonly totalBytes: number | undefined;
  readonly problem: Problem | undefined;
}

export interface ObjectsReport {
  readonly backend: BackendKind;
  readonly names: readonly string[];
  /** undefined: it needs none. */
  readonly hasBroker: boolean | undefined;
  readonly problem: Problem | undefined;
}

export interface SelfTestReport {
  readonly what: string;
  readonly problem: Problem | undefined;
  readonly milliseconds: number;
}

export interface Report {
  /** Whether objects can be used here. */
  readonly isWell: boolean;
  readonly version: string;
  readonly platform: string;
  readonly node: string;
  readonly addon: AddonReport;
  readonly backend: BackendReport | Problem;
  readonly directory: DirectoryReport | undefined;
  readonly objects: readonly ObjectsReport[];
  readonly selfTest: SelfTestReport | undefined;
  /** What may surprise, in sentences. */
  readonly remarks: readonly string[];
}

/** Backends whose objects meet in a directory. */
const IN_DIRECTORIES: readonly BackendKind[] = ['native', 'socket'];

/** With less, queues of the default size still fit, but not many. */
const LITTLE_BYTES = 16 * 2 ** 20;

export function examine(version: string): Report {
  const chosen = chosenBackend();
  const isChosen = 'kind' in chosen;
  const directory = isChosen ? directoryOf(chosen.kind) : undefined;
  const objects = IN_DIRECTORIES.map(objectsOn);
  const selfTest = isChosen ? tested(chosen.kind, directory?.path) : undefined;
  return {
    isWell: isChosen && directory?.problem === undefined && selfTest?.problem === undefined,
    version,
    platform: `${process.platform} ${process.arch}, ${release()}`,
    node: `${process.version}, modules ${process.versions.modules}, ${process.execPath}`,
    addon: { file: resolve(addonFile()), problem: problemOf(() => registryOf('native')) },
    backend: chosen,
    directory,
    objects,
    selfTest,
    remarks: isChosen ? remarks(chosen, directory, objects) : [],
  };
}

function toProblem(error: unknown): Problem {
  const { code, message } = error as { code?: unknown; message: string };
  return { code: typeof code === 'string' ? code : undefined, message };
}

function problemOf(call: () => unknown): Problem | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return toProblem(error);
  }
}

function chosenBackend(): BackendReport | Problem {
  try {
    const { kind, reason, capabilities } = backend;
    return { kind, reason, capabilities, absent: absentIn(capabilities) };
  } catch (error) {
    return toProblem(error);
  }
}

function directoryOf(kind: BackendKind): DirectoryReport | undefined {
  const { directory } = registryOf(kind);
  if (directory === undefined) return undefined;
  const path = resolve(directory);
  let facts;
  let space;
  let problem;
  try {
    facts = lstatSync(path, { throwIfNoEntry: false });
    space = statfsSync(facts === undefined ? dirname(path) : path);
  } catch (error) {
    problem = toProblem(error);
  }
  return {
    path,
    exists: facts !== undefined,
    mode: facts && facts.mode & 0o777,
    uid: facts?.uid,
    freeBytes: space && space.bavail * space.bsize,
    totalBytes: space && space.blocks * space.bsize,
    problem: problem ?? problemOf(() => list()),
  };
}

function objectsOn(kind: BackendKind): ObjectsReport {
  try {
    const registry = registryOf(kind);
    const { hasBroker } = registry;
    const names = registry.list().map(({ name }) => name);
    return { backend: kind, names, hasBroker, problem: undefined };
  } catch (error) {
    return { backend: kind, names: [], hasBroker: undefined, problem: toProblem(error) };
  }
}

/** Puts a message into a queue and gets it by another handle, beside the directory, where nobody else is. */
function tested(kind: BackendKind, directory: string | undefined): SelfTestReport {
  const begin = performance.now();
  const privately = privateDirectory(directory);
  const before = process.env['INTERPROC_DIR'];
  process.env['INTERPROC_DIR'] = privately;
  const problem = problemOf(() => {
    const name = `doctor-${process.pid}`;
    const sent = { what: 'a message', bytes: Uint8Array.of(1, 2, 3) };
    const writer = Queue.create<typeof sent>(name);
    try {
      const reader = Queue.open<typeof sent>(name);
      writer.putNowait(sent);
      const got = reader.getNowait();
      reader.close();
      if (got.what !== sent.what || got.bytes[2] !== 3) throw new Error('another message came');
    } finally {
      writer.close();
    }
  });
  if (before === undefined) delete process.env['INTERPROC_DIR'];
  else process.env['INTERPROC_DIR'] = before;
  try {
    rmSync(privately, { recursive: true, force: true });
  } catch {
    // Somebody looks into it, say; nothing that matters is left.
  }
  return {
    what: `a message through a queue on '${kind}'`,
    problem,
    milliseconds: Math.round(10 * (performance.now() - begin)) / 10,
  };
}

function privateDirectory(directory: string | undefined): string {
  if (directory !== undefined) {
    try {
      return mkdtempSync(join(dirname(directory), 'interproc-doctor-'));
    } catch {
      // Nobody but its owner may write beside it, say.
    }
  }
  return mkdtempSync(join(tmpdir(), 'interproc-doctor-'));
}

function remarks(
  chosen: BackendReport,
  directory: DirectoryReport | undefined,
  objects: readonly ObjectsReport[],
): string[] {
  const said: string[] = [];
  for (const { backend: kind, names } of objects) {
    if (kind === chosen.kind || names.length === 0) continue;
    said.push(
      `The backend '${kind}' has objects here too, which '${chosen.kind}' does not see: there their names are ERR_BACKEND. INTERPROC_BACKEND=${kind} finds them.`,
    );
  }
  const { freeBytes = Infinity } = directory ?? {};
  if (freeBytes < LITTLE_BYTES) {
    said.push(
      `There is little room left for objects: ${freeBytes} bytes; INTERPROC_DIR moves them.`,
    );
  }
  return said;
}
