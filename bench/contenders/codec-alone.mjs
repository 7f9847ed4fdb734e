// @ts-check
import { monotonicNanoseconds } from '../harness/monotonic-clock.mjs';
import { ValueCheck, ValueSource } from '../harness/verified-value.mjs';

/** @typedef {import('../harness/contender.mjs').Side} Side */
/** @typedef {import('../harness/contender.mjs').SideContext} SideContext */

/** So many values are encoded, then decoded: time enough for the clock, and few enough for the caches. */
const BATCH = 256;
const OUTBOX_BYTES = 64 * 1024;

/**
 * What no queue can beat that has a processor for each side: the slower half of the codec, without any way.
 * @param {SideContext} context
 * @returns {Promise<Side>}
 */
async function codec({ parameters }) {
  // The package does not show its codecs.
  const { structuredCodec } = await import(
    new URL('../../dist/codec/structured.js', import.meta.url).href
  );
  const outbox = new Uint8Array(OUTBOX_BYTES);
  const inbox = new Uint8Array(BATCH * 2 * parameters.bytes);
  const ends = new Float64Array(BATCH);
  return {
    run(count) {
      const source = new ValueSource(parameters);
      const check = new ValueCheck(parameters);
      let encoding = 0;
      let decoding = 0;
      for (let left = count; left > 0; left -= BATCH) {
        const batch = Math.min(left, BATCH);
        const startedAt = monotonicNanoseconds();
        let end = 0;
        for (let i = 0; i < batch; i += 1) {
          const encoded = structuredCodec.encode(source.next(), outbox);
          if (typeof encoded === 'number') {
            for (let at = 0; at < encoded; at += 1) inbox[end + at] = outbox[at] ?? 0;
            end += encoded;
          } else {
            inbox.set(encoded, end);
            end += encoded.length;
          }
          ends[i] = end;
        }
        const encodedAt = monotonicNanoseconds();
        let start = 0;
        for (let i = 0; i < batch; i += 1) {
          const next = ends[i] ?? NaN;
          check.accept(structuredCodec.decode(inbox, start, next - start));
          start = next;
        }
        decoding += monotonicNanoseconds() - encodedAt;
        encoding += encodedAt - startedAt;
      }
      const { totals } = check.report();
      return {
        seconds: Math.max(encoding, decoding) / 1e9,
        count: totals.count,
        verified: true,
      };
    },
    close() {},
  };
}

/** @type {import('../harness/contender.mjs').Contender} */
export default {
  name: 'codec-alone',
  what: "the codec 'structured' in one process, without a queue: the slower one of encoding and decoding",
  patterns: { oneWayValues: { launch: ['codec'], roles: { codec } } },
};
