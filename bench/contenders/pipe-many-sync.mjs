// @ts-check
import { pipeOneWay } from '../harness/pipe-sides.mjs';
import { receiveBatches } from '../harness/receiving.mjs';
import { BATCH, sendBatches } from '../harness/sending.mjs';

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'pipe-many-sync',
  what: `Pipe: sendManySync and recvManySync of ${BATCH}, a fresh array for each message`,
  patterns: {
    oneWay: pipeOneWay(
      (connection, source, count) =>
        sendBatches(source, count, (messages) => {
          connection.sendManySync(messages);
        }),
      (connection, check) => receiveBatches(check, () => connection.recvManySync({ max: BATCH })),
    ),
  },
};
