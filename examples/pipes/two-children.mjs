// @ts-check
// One child sends three messages on one end of a one-way pipe; another child receives them on the other end.
//   node two-children.mjs
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { Pipe, Queue } from '../../dist/index.js';

const [, , role, meetingName = ''] = process.argv;

/** The end of the pipe that the parent has sent. */
async function endFromParent() {
  /** @type {import('../../dist/index.js').Queue<import('../../dist/index.js').Connection<string>>} */
  const meeting = Queue.open(meetingName);
  const end = await meeting.get();
  meeting.close();
  return end;
}

if (role === 'sender') {
  const connection = await endFromParent();
  for (const word of ['Hello', 'World', '!']) {
    console.log(`Sending: ${word}`);
    await connection.send(word);
  }
  connection.close();
} else if (role === 'receiver') {
  for await (const word of await endFromParent()) console.log(`Received: ${word}`);
} else {
  const [reader, writer] = Pipe({ duplex: false });
  const ends = { receiver: reader, sender: writer };
  const children = Object.entries(ends).map(([name, end]) => {
    const meeting = Queue.create(`${name}-${process.pid}`);
    const child = fork(fileURLToPath(import.meta.url), [name, meeting.name]);
    meeting.putNowait(end);
    return once(child, 'exit').then(() => meeting.close());
  });
  await Promise.all(children);
}
