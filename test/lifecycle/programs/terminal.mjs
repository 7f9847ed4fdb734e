// @ts-check
/** Does what it is told, call by call, as a person would at a prompt. A call that waits does not hold up the next one. */
import { Queue, list, prune } from '../../../dist/index.js';
import { Ears, say } from './line.mjs';

/**
 * @typedef {{ id: number, call: string, target: string, args: unknown[] }} Order
 * @typedef {Awaited<ReturnType<Queue<unknown>['receive']>>} Message
 * @typedef {ReturnType<Queue<unknown>['reserve']>} Slot
 * @typedef {ReturnType<Queue<unknown>['peek']>} View
 */

/** @type {Map<string, Queue<unknown>>} */
const queues = new Map();
/** @type {Map<string, Message>} */
const messages = new Map();
/** @type {Map<string, Slot>} */
const slots = new Map();
/** @type {Map<string, View>} */
const views = new Map();

/** @param {string} name */
function queue(name) {
  const found = queues.get(name);
  if (found === undefined) throw new Error(`the terminal has not opened '${name}'`);
  return found;
}

/** @param {string} id */
function message(id) {
  const found = messages.get(id);
  if (found === undefined) throw new Error(`the terminal holds no message ${id}`);
  return found;
}

/**
 * Fills it at once.
 * @param {Slot} slot
 * @param {string} text
 */
function fillSlot(slot, text) {
  const id = String(slots.size + 1);
  slots.set(id, slot);
  Buffer.from(slot.bytes.buffer).write(text);
  return { id };
}

/** @param {View} view */
function look(view) {
  const id = String(views.size + 1);
  views.set(id, view);
  const { bytes, deliveries, redelivered } = view;
  return { id, text: Buffer.from(bytes).toString(), deliveries, redelivered };
}

/** @param {Message} received */
function keep(received) {
  const id = String(messages.size + 1);
  messages.set(id, received);
  const { value, redelivered, deliveries } = received;
  return { id, value, redelivered, deliveries };
}

/** @param {unknown} value */
function handleIn(value) {
  return /** @type {{ handle: Queue<unknown> }} */ (value).handle;
}

/**
 * @param {Order} order
 * @returns {unknown}
 */
function obey({ call, target, args }) {
  const options = /** @type {object} */ (args[0] ?? {});
  switch (call) {
    case 'create':
      return void queues.set(target, Queue.create(target, options));
    case 'open':
      return void queues.set(target, Queue.open(target));
    case 'openOrCreate':
      return void queues.set(target, Queue.openOrCreate(target, options));
    case 'openWhenAvailable':
      return Queue.openWhenAvailable(target, options).then(
        (opened) => void queues.set(target, opened),
      );
    case 'anonymous':
      return void queues.set(target, new Queue());
    case 'putHandle':
      return queue(target).put({
        handle: queue(String(args[0])),
        filler: new Uint8Array(Number(args[1] ?? 0)),
      });
    case 'getHandle':
      return queue(target)
        .get(/** @type {object} */ (args[1]))
        .then((value) => {
          queues.set(String(args[0]), handleIn(value));
        });
    case 'receiveHandle':
      return queue(target)
        .receive()
        .then((received) => {
          queues.set(String(args[0]), handleIn(received.value));
          return { id: keep(received).id, redelivered: received.redelivered };
        });
    case 'receive':
      return queue(target).receive(options).then(keep);
    case 'ack':
      return message(target).ack();
    case 'nack':
      return message(target).nack();
    case 'putText':
      return queue(target).put(Buffer.from(String(args[0])));
    case 'reserve': {
      const text = String(args[0]);
      return fillSlot(queue(target).reserve(Buffer.byteLength(text)), text);
    }
    case 'commit':
      return slots.get(target)?.commit();
    case 'peek':
      return look(queue(target).peek());
    case 'peekWhenAvailable':
      return queue(target).peekWhenAvailable().then(look);
    case 'release':
      return views.get(target)?.release();
    case 'fill': {
      let count = 0;
      while (queue(target).tryPut(args[0])) count += 1;
      return count;
    }
    case 'drain': {
      const values = [];
      for (;;) {
        const value = queue(target).tryGet();
        if (value === undefined) return values;
        values.push(value);
      }
    }
    case 'settle': {
      const settled = [];
      for (;;) {
        const received = queue(target).tryReceive();
        if (received === undefined) return settled;
        received.ack();
        settled.push({ value: received.value, redelivered: received.redelivered });
      }
    }
    case 'size':
      return queue(target).size;
    case 'list':
      return list();
    case 'prune':
      return prune();
    default: {
      const methods = /** @type {Record<string, (...args: unknown[]) => unknown>} */ (
        /** @type {unknown} */ (queue(target))
      );
      return methods[call]?.(...args);
    }
  }
}

/** @param {Order} order */
async function answer(order) {
  try {
    // A blocking call says nothing until it returns; any other has been made, and waits if it must.
    const isBlocking = order.call.endsWith('Sync');
    if (isBlocking) say(`began:${order.id}`);
    const result = obey(order);
    if (!isBlocking) say(`began:${order.id}`);
    say(`reply:${order.id}`, { value: await result });
  } catch (error) {
    const { code, message: text } = /** @type {Error & { code?: string }} */ (error);
    say(`reply:${order.id}`, { code: code ?? 'none', message: text });
  }
}

const ears = new Ears();
for (let line = await ears.line(); line !== undefined; line = await ears.line()) {
  void answer(JSON.parse(line));
}
