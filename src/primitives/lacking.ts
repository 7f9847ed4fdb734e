import { InterprocError } from '../errors.js';
import type { CapabilityName } from '../contract/capabilities.js';
import type { Backend } from '../contract/channel.js';

/** ERR_UNSUPPORTED: `what` was called, and `whose` (the backend of this or that) cannot do it. */
export function lacking(what: string, capability: CapabilityName, whose: string): InterprocError {
  return new InterprocError(
    'ERR_UNSUPPORTED',
    `${what} needs the capability '${capability}', which ${whose} does not have`,
  );
}

/** ERR_UNSUPPORTED: `what` of the object `name` is memory itself, which its backend does not show, or the runtime forbids. */
export function noViews(what: string, name: string, wayOut: string): InterprocError {
  return new InterprocError(
    'ERR_UNSUPPORTED',
    `${what} needs the capability 'views', which the backend of '${name}' does not have, or this runtime forbids; ${wayOut}`,
  );
}

/** @throws ERR_UNSUPPORTED, naming the capability that `what` needs */
export function assertCapable(backend: Backend, capability: CapabilityName, what: string): void {
  if (backend.capabilities[capability] !== false) return;
  throw lacking(what, capability, `the backend '${backend.kind}'`);
}
