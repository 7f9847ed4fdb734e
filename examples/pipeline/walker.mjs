// @ts-check
// One process of the pipeline: walks a folder and puts every source file on the queue of jobs.
//   node walker.mjs JOBS FOLDER
import { readFileSync } from 'node:fs';

import { Queue } from '../../dist/index.js';
import { sourceFiles } from './source-files.mjs';

const [jobsName, folder] = /** @type {[string, string]} */ (process.argv.slice(2));
/** @type {Queue<{ id: number, path: string, bytes: Uint8Array }>} */
const jobs = Queue.open(jobsName);
let id = 0;
for (const path of sourceFiles(folder)) jobs.putSync({ id: id++, path, bytes: readFileSync(path) });
// Readers drain what is there, then their loops end.
jobs.end();
jobs.close();
