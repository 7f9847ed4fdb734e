// @ts-check
import { pipeOneWay, pipeRoundTrip } from '../harness/pipe-sides.mjs';

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'pipe-sync',
  what: 'Pipe: sendBytesSync and recvBytesIntoSync one way, sendSync and recvSync there and back',
  patterns: {
    oneWay: pipeOneWay(
      (connection, source, count) => {
        const message = source.createMessage();
        for (let i = 0; i < count; i += 1) {
          source.stamp(message);
          connection.sendBytesSync(message.bytes);
        }
        source.stampStop(message);
        connection.sendBytesSync(message.bytes);
      },
      (connection, check, { parameters }) => {
        const buffer = new Uint8Array(parameters.bytes);
        const words = new Int32Array(buffer.buffer);
        while (check.acceptWords(words, connection.recvBytesIntoSync(buffer)));
      },
    ),
    roundTrip: pipeRoundTrip(
      (connection, count) => {
        for (let i = 0; i < count; i += 1) connection.sendSync(connection.recvSync());
      },
      (connection, bytes) => {
        connection.sendSync(bytes);
        return connection.recvSync();
      },
      false,
    ),
  },
};
