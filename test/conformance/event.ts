import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';

import { thrownBy } from '../unit/thrown-by.js';
import { lockBenchFor } from './lock-subject.js';
import type { LockSubject } from './lock-subject.js';
import { coded, rows, stateOf } from './subject.js';

export function events(subject: LockSubject): void {
  describe('Event', () => {
    const bench = lockBenchFor(subject);
    const { Event } = bench.classes;
    const make = () => bench.keep(Event.create(bench.name()));

    it('is set and cleared for everybody', async () => {
      const event = make();
      const other = bench.keep(Event.open(event.name));
      expect([event.isSet, other.isSet]).toEqual([false, false]);
      event.set();
      event.set();
      expect([event.isSet, other.isSet]).toEqual([true, true]);
      expect(await other.wait()).toBe(true);
      expect(other.waitSync()).toBe(true);
      other.clear();
      other.clear();
      expect([event.isSet, other.isSet]).toEqual([false, false]);
    });

    it('lets all go on who wait', async () => {
      const event = make();
      const other = bench.keep(Event.open(event.name));
      const pending = [event.wait(), event.wait(), other.wait(), other.wait({ timeoutMs: 60_000 })];
      expect(await stateOf(Promise.race(pending))).toBe('pending');
      other.set();
      expect(await Promise.all(pending)).toEqual([true, true, true, true]);
    });

    it('lets all go on who wait, however soon it is cleared', async () => {
      const event = make();
      const other = bench.keep(Event.open(event.name));
      const pending = [event.wait(), other.wait()];
      event.set();
      event.clear();
      const late = [event.wait(), other.wait()];
      expect(await Promise.all(pending)).toEqual([true, true]);
      expect(await stateOf(Promise.race(late))).toBe('pending');
      other.set();
      other.clear();
      expect(await Promise.all(late)).toEqual([true, true]);
    });

    it('is waited for across threads', async () => {
      const event = make();
      const peer = await bench.peer('event', event.name);
      const pending = event.wait();
      expect(await stateOf(pending)).toBe('pending');
      await peer.act('set');
      expect(await pending).toBe(true);
      await peer.act('clear');
      expect(event.isSet).toBe(false);
      peer.actWhileBlocked('set');
      expect(event.waitSync()).toBe(true);
    });

    it('says false after timeoutMs, not before', async () => {
      const event = make();
      const began = performance.now();
      expect(await event.wait({ timeoutMs: 15 })).toBe(false);
      expect(performance.now() - began).toBeGreaterThanOrEqual(15);
      const blocked = performance.now();
      expect(event.waitSync({ timeoutMs: 15 })).toBe(false);
      expect(performance.now() - blocked).toBeGreaterThanOrEqual(15);
      expect(await event.wait({ timeoutMs: 0 })).toBe(false);
      expect(event.waitSync({ timeoutMs: 0 })).toBe(false);
      event.set();
      expect(await event.wait({ timeoutMs: 0 })).toBe(true);
      expect(event.waitSync({ timeoutMs: -1 })).toBe(true);
    });

    it('leaves the others waiting when one gives up', async () => {
      const event = make();
      const controller = new AbortController();
      const aborted = event.wait({ signal: controller.signal });
      const hasty = event.wait({ timeoutMs: 5 });
      const staying = event.wait();
      const reason = new Error('enough');
      controller.abort(reason);
      await expect(aborted).rejects.toBe(reason);
      await expect(event.wait({ signal: controller.signal })).rejects.toBe(reason);
      expect(await hasty).toBe(false);
      expect(event.waitSync({ timeoutMs: 5 })).toBe(false);
      event.set();
      expect(await staying).toBe(true);
    });

    it('rejects what is pending when it closes, and ends every use', async () => {
      const event = make();
      const pending = [event.wait(), event.wait({ timeoutMs: 60_000 })];
      event.close();
      await Promise.all(pending.map((one) => expect(one).rejects.toEqual(coded('ERR_CLOSED'))));
      await expect(event.wait()).rejects.toEqual(coded('ERR_CLOSED'));
      for (const call of [
        () => event.set(),
        () => event.clear(),
        () => event.isSet,
        () => event.waitSync(),
      ]) {
        expect(thrownBy(call)).toEqual(coded('ERR_CLOSED'));
      }
      expect(inspect(event)).toBe(`Event '${event.name}' { closed: true }`);
    });

    it.each(rows<unknown>([{ timeoutMs: NaN }, { signal: {} }, 5, null]))(
      'refuses the options %s',
      async (_, options) => {
        const event = make();
        const bad = options as object;
        await expect(event.wait(bad)).rejects.toEqual(coded('ERR_INVALID_ARG'));
        expect(thrownBy(() => event.waitSync(bad))).toEqual(coded('ERR_INVALID_ARG'));
      },
    );
  });
}
