// @ts-check
import { pipeOneWay } from '../harness/pipe-sides.mjs';
import { receiveIterated } from '../harness/receiving.mjs';
import { sendEachAwaited } from '../harness/sending.mjs';

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'pipe-for-await',
  what: 'Pipe: await send and for await',
  patterns: {
    oneWay: pipeOneWay(
      (connection, source, count) =>
        sendEachAwaited(source, count, (message) => connection.send(message)),
      (connection, check) => receiveIterated(check, connection),
    ),
  },
};
