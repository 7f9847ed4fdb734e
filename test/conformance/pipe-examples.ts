import { describe, expect, it } from 'vitest';

import { EOFError } from '../../src/errors.js';
import { pipeBenchFor } from './pipe-subject.js';
import type { PipeSubject } from './pipe-subject.js';

/** The programs that the documentation shows. */
export function examples(subject: PipeSubject): void {
  describe.skipIf(!subject.backend.capabilities.blocking)(
    'the programs of the documentation',
    () => {
      const bench = pipeBenchFor(subject);

      it('a child sends a list over a pipe and closes its end', async () => {
        const [parent, child] = bench.values();
        const acting = bench.whileBlocked(child, [{ act: 'send', value: [42, null, 'hello'] }]);
        expect(parent.recvSync()).toEqual([42, null, 'hello']);
        await acting;
        await expect(parent.recv()).rejects.toBeInstanceOf(EOFError);
      });

      it('one child sends three messages, and the parent receives three', async () => {
        const [parent, child] = bench.strings();
        const words = ['Hello', 'World', '!'];
        const acting = bench.whileBlocked(
          child,
          words.map((value) => ({ act: 'send', value })),
        );
        expect(words.map(() => parent.recvSync())).toEqual(words);
        await acting;
        const rest: string[] = [];
        for await (const value of parent) rest.push(value);
        expect(rest).toEqual([]);
      });
    },
  );
}
