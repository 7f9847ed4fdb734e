// @ts-check
// Another process: says whether it finds the queue of the name that it is given.
import { Queue } from '../../dist/index.js';

try {
  Queue.open(process.argv[2] ?? '').close();
  process.stdout.write('found');
} catch (error) {
  process.stdout.write(/** @type {{ code: string }} */ (error).code);
}
