// @ts-check
/** Does one thing with a queue and comes to the end of its text. What keeps it alive from there on is the question. */
import { Queue } from '../../../dist/index.js';
import { say } from './line.mjs';

const [deed = ''] = process.argv.slice(2);
const NAME = 'jobs';
const ABSENT = 'absent';

/** @type {Queue<unknown>} */
const queue = Queue.openOrCreate(NAME, { maxItems: 1 });

/** @param {Promise<unknown>} pending */
function tell(pending) {
  pending.then(
    (value) => say('resolved', value),
    (error) => say('rejected', error.code),
  );
}

/** @type {Record<string, () => void | Promise<void>>} */
const DEEDS = {
  'an idle open queue': () => {},
  'an idle queue that has waited before': async () => {
    const pending = queue.get();
    queue.putSync('own');
    await pending;
  },
  'a queue whose wait timed out': () => queue.get({ timeoutMs: 1 }).then(undefined, () => {}),
  'a queue whose wait was aborted': async () => {
    const controller = new AbortController();
    const pending = queue.get({ signal: controller.signal });
    controller.abort();
    await pending.catch(() => {});
  },
  'an unacknowledged message': async () => {
    queue.putSync('held');
    const held = await queue.receive();
    process.once('exit', () => held.value);
  },
  'an unref’d pending get': () => tell(queue.unref().get()),
  'a pending get, unref’d afterwards': () => {
    tell(queue.get());
    queue.unref();
  },
  'an unref’d pending put': () => {
    queue.putSync('full');
    tell(queue.unref().put('waits'));
  },
  'an unref’d pending join': () => {
    queue.putSync('unfinished');
    tell(queue.unref().join());
  },
  'an unref’d pending get with a time-out': () => tell(queue.unref().get({ timeoutMs: 60_000 })),
  'a closed queue': () => {
    tell(queue.get());
    queue.close();
  },
  'a pending get': () => tell(queue.get()),
  'a pending get, unref’d and ref’d again': () => {
    tell(queue.get());
    queue.unref().ref();
  },
  'a pending receive': () => tell(queue.receive().then((m) => (m.ack(), m.value))),
  'a pending step of for await': () => tell(queue[Symbol.asyncIterator]().next()),
  'a pending put': () => {
    queue.putSync('full');
    tell(queue.put('waits'));
  },
  'a pending join': () => {
    queue.putSync('unfinished');
    tell(queue.join());
  },
  'a pending openWhenAvailable': () => tell(Queue.openWhenAvailable(ABSENT).then((q) => q.name)),
};

await DEEDS[deed]?.();
say('end-of-text', deed in DEEDS);
