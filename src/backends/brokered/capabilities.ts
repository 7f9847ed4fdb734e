import type { Capabilities } from '../../contract/capabilities.js';

/** What there is wherever a hub is. */
export const BROKERED_CAPABILITIES: Capabilities = Object.freeze({
  pipes: true,
  listeners: true,
  blocking: true,
  redelivery: true,
  leases: false,
  views: false,
  atomics: 'request',
  rings: false,
  posix: false,
  betweenProcesses: true,
  survivesBrokerKill: false,
});
