import type { Capabilities } from '../../contract/capabilities.js';

export const CAPABILITIES: Capabilities = Object.freeze({
  pipes: true,
  listeners: true,
  blocking: true,
  redelivery: true,
  leases: true,
  views: true,
  atomics: 'instruction',
  rings: true,
  posix: true,
  betweenProcesses: true,
  survivesBrokerKill: true,
});
