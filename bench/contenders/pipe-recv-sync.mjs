// @ts-check
import { pipeOneWay } from '../harness/pipe-sides.mjs';
import { receiveEach } from '../harness/receiving.mjs';
import { sendEach } from '../harness/sending.mjs';

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'pipe-recv-sync',
  what: 'Pipe: sendSync and recvSync, a fresh array for each message',
  patterns: {
    oneWay: pipeOneWay(
      (connection, source, count) =>
        sendEach(source, count, (message) => connection.sendSync(message)),
      (connection, check) => receiveEach(check, () => connection.recvSync()),
    ),
  },
};
