/** What a backend can do that another cannot. The one place where the names stand; each backend declares what it has. */

export interface Capabilities {
  /** Connections: `Pipe()`. */
  readonly pipes: boolean;
  /** `Pipe.listen` and `Pipe.connect`. */
  readonly listeners: boolean;
  /** Calls that block the thread work: `getSync`, `recvSync`, `acquireSync` and the like. */
  readonly blocking: boolean;
  /** A message can be delivered to another consumer when its holder dies. */
  readonly redelivery: boolean;
  /** Messages can be filled and read in place. */
  readonly leases: boolean;
  /** JavaScript sees the memory of values, arrays and memory itself. Some runtimes forbid it all the same. */
  readonly views: boolean;
  /** What one step on an element of a value or an array is: an instruction of the processor, or a question to somebody else. */
  readonly atomics: 'instruction' | 'request';
  /** `interproc/ring`. */
  readonly rings: boolean;
  /** `interproc/posix`. */
  readonly posix: boolean;
  /** Objects are shared by processes, not by the threads of one only. */
  readonly betweenProcesses: boolean;
  /** No process keeps the objects of the others: whoever is killed takes none of them along. */
  readonly survivesBrokerKill: boolean;
}

export type CapabilityName = keyof Capabilities;

/** What people read about them, in the order in which they read it; of what is absent, what happens instead. */
export const CAPABILITIES: Readonly<
  Record<CapabilityName, { readonly what: string; readonly otherwise: string }>
> = Object.freeze({
  betweenProcesses: {
    what: 'objects are shared between processes',
    otherwise: 'between the threads of one process only: others find nothing (`ERR_NOT_FOUND`)',
  },
  pipes: { what: '`Pipe()`', otherwise: '`ERR_UNSUPPORTED`' },
  listeners: { what: '`Pipe.listen`, `Pipe.connect`', otherwise: '`ERR_UNSUPPORTED`' },
  blocking: {
    what: 'calls that block: `getSync`, `recvSync`, `acquireSync` …',
    otherwise: '`ERR_UNSUPPORTED`',
  },
  redelivery: {
    what: '`receive` and `ack`: messages outlive their consumer',
    otherwise: '`ERR_UNSUPPORTED`',
  },
  leases: {
    what: '`reserve` and `peek`: messages written and read in place',
    otherwise: '`ERR_UNSUPPORTED`; `put` and `get` copy',
  },
  views: {
    what: 'views of memory itself: `buffer`, `view`, `subarray`',
    otherwise: '`ERR_UNSUPPORTED`; `get`, `set`, `read` and `write` copy',
  },
  atomics: {
    what: 'one atomic step (`add`, `compareExchange` …) is',
    otherwise: 'atomic all the same, and a round trip',
  },
  rings: { what: '`interproc/ring`', otherwise: '`ERR_UNSUPPORTED`' },
  posix: { what: '`interproc/posix`', otherwise: '`ERR_UNSUPPORTED`' },
  survivesBrokerKill: {
    what: 'no process whose death takes objects along',
    otherwise: '`kill -9` of the broker: `ERR_BROKER` to all who had something open',
  },
});

/** Those that a backend does not have. */
export function absentIn(capabilities: Capabilities): CapabilityName[] {
  return (Object.keys(CAPABILITIES) as CapabilityName[]).filter(
    (name) => capabilities[name] === false,
  );
}
