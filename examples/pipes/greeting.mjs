// @ts-check
// A child sends one value on a connection and closes it; the parent receives it, and then the end.
//   node greeting.mjs
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { EOFError, Pipe, Queue } from '../../dist/index.js';

const [, , meetingName] = process.argv;

if (meetingName === undefined) {
  const [mine, theirs] = Pipe();
  // The end goes to the child in a message; the child has it then, and this program no longer.
  const meeting = Queue.create(`meeting-${process.pid}`);
  fork(fileURLToPath(import.meta.url), [meeting.name]);
  await meeting.put(theirs);
  console.log(await mine.recv());
  try {
    await mine.recv();
  } catch (error) {
    if (!(error instanceof EOFError)) throw error;
    console.log('EOF');
  }
  mine.close();
  meeting.close();
} else {
  /** @type {import('../../dist/index.js').Queue<import('../../dist/index.js').Connection>} */
  const meeting = Queue.open(meetingName);
  const connection = await meeting.get();
  await connection.send([42, null, 'hello']);
  connection.close();
  meeting.close();
}
