/** Several backends in one process, as the option `backend` gives them. */

import { mkdtempSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';

import { Lock, Queue, Value } from '../../src/index.js';
import type { BackendKind } from '../../src/contract/channel.js';
import { coded } from '../conformance/subject.js';

const directory = mkdtempSync('/dev/shm/interproc-side-by-side-');
process.env['INTERPROC_DIR'] = directory;

afterAll(() => {
  rmSync(directory, { recursive: true });
});

const KINDS = ['native', 'socket', 'memory'] as const;
const PAIRS = KINDS.flatMap((carrier) => KINDS.map((passenger) => [passenger, carrier] as const));

const PASSENGERS: Record<string, (backend: BackendKind) => { close(): void }> = {
  'a queue': (backend) => new Queue({ backend }),
  'a value': (backend) => new Value('int32', 7, { backend }),
  'a lock': (backend) => new Lock({ backend }),
};

describe.each(Object.entries(PASSENGERS))('%s', (_, make) => {
  it.each(PAIRS)('of %s in a message of %s', (of, carrier) => {
    const q = new Queue<{ h: { close(): void } }>({ backend: carrier });
    const h = make(of);
    if (of === carrier) {
      q.putNowait({ h });
      q.getNowait().h.close();
    } else {
      expect(() => q.putNowait({ h })).toThrow(coded('ERR_ENCODE'));
      expect(() => q.putNowait({ h })).toThrow(/backend/);
      expect(q.size).toBe(0);
    }
    h.close();
    q.close();
  });
});
