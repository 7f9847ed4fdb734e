// @ts-check
import { pipeOneWay } from '../harness/pipe-sides.mjs';
import { BATCH } from '../harness/queue-batches.mjs';

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'pipe-many-sync',
  what: `Pipe: sendManySync and recvManySync of ${BATCH}, a fresh array for each message`,
  patterns: {
    oneWay: pipeOneWay(
      (connection, source, count) => {
        const messages = Array.from({ length: BATCH }, () => source.createMessage());
        const arrays = messages.map((message) => message.bytes);
        for (let left = count; left > 0; left -= BATCH) {
          const batch = left < BATCH ? messages.slice(0, left) : messages;
          for (const message of batch) source.stamp(message);
          connection.sendManySync(left < BATCH ? arrays.slice(0, left) : arrays);
        }
        const stop = source.createMessage();
        source.stampStop(stop);
        connection.sendSync(stop.bytes);
      },
      (connection, check) => {
        for (let isOver = false; !isOver;) {
          for (const message of connection.recvManySync({ max: BATCH })) {
            isOver = !check.accept(message);
          }
        }
      },
    ),
  },
};
