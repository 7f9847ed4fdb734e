/** A report of the doctor as text. */

import type { DirectoryReport, ObjectsReport, Problem, Report } from './doctor.js';

const LABEL_WIDTH = 11;

export function rendered(report: Report): string {
  const { addon, backend, directory, selfTest } = report;
  const lines = [
    line('interproc', report.version),
    line('platform', report.platform),
    line('Node', report.node),
    line('addon', addon.file),
    line('', addon.problem === undefined ? 'loads' : said(addon.problem)),
  ];
  if ('kind' in backend) {
    lines.push(line('backend', `${backend.kind}: ${backend.reason}`));
    if (backend.absent.length > 0) lines.push(line('', `without ${backend.absent.join(', ')}`));
  } else {
    lines.push(line('backend', `none: ${said(backend)}`));
  }
  if (directory !== undefined) lines.push(...aboutDirectory(directory));
  for (const objects of report.objects) lines.push(aboutObjects(objects));
  if (selfTest !== undefined) {
    const { what, problem, milliseconds } = selfTest;
    const outcome = problem === undefined ? `got through in ${milliseconds} ms` : said(problem);
    lines.push(line('self-test', `${what}: ${outcome}`));
  }
  for (const remark of report.remarks) lines.push(line('note', remark));
  lines.push('', report.isWell ? 'All is well.' : 'Something is wrong: see above.');
  return lines.join('\n');
}

function line(label: string, text: string): string {
  return `${label.padEnd(LABEL_WIDTH)} ${text}`;
}

function said({ code, message }: Problem): string {
  return code === undefined ? message : `${code}: ${message}`;
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / 2 ** 20)} MiB`;
}

function aboutDirectory(directory: DirectoryReport): string[] {
  const { path, exists, mode, uid, freeBytes, totalBytes, problem } = directory;
  const facts = exists
    ? `mode ${mode?.toString(8).padStart(4, '0')}, of user ${uid}`
    : 'not there yet';
  const space =
    freeBytes === undefined || totalBytes === undefined
      ? ''
      : `; ${mebibytes(freeBytes)} of ${mebibytes(totalBytes)} free`;
  const lines = [line('directory', `${path}: ${facts}${space}`)];
  if (problem !== undefined) lines.push(line('', said(problem)));
  return lines;
}

function aboutObjects({ backend, names, hasBroker, problem }: ObjectsReport): string {
  const broker =
    hasBroker === undefined ? '' : hasBroker ? ', and its broker runs' : ', and no broker runs';
  const what = problem === undefined ? `${names.length} on ${backend}${broker}` : said(problem);
  return line('objects', problem === undefined ? what : `on ${backend}: ${what}`);
}
