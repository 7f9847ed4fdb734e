// @ts-check
import { pipeOneWay, pipeRoundTrip } from '../harness/pipe-sides.mjs';
import { BLOCKING } from '../harness/round-trips.mjs';
import { sendEach } from '../harness/sending.mjs';

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'pipe-sync',
  what: 'Pipe: sendBytesSync and recvBytesIntoSync one way, sendSync and recvSync there and back',
  patterns: {
    oneWay: pipeOneWay(
      (connection, source, count) =>
        sendEach(source, count, (message) => connection.sendBytesSync(message)),
      (connection, check, { parameters }) => {
        const buffer = new Uint8Array(parameters.bytes);
        const words = new Int32Array(buffer.buffer);
        while (check.acceptWords(words, connection.recvBytesIntoSync(buffer)));
      },
    ),
    roundTrip: pipeRoundTrip(
      BLOCKING,
      (connection, bytes) => connection.sendSync(bytes),
      (connection) => connection.recvSync(),
    ),
  },
};
