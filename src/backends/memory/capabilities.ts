import type { Capabilities } from '../../contract/capabilities.js';
import { BROKERED_CAPABILITIES } from '../brokered/capabilities.js';

export const CAPABILITIES: Capabilities = Object.freeze({
  ...BROKERED_CAPABILITIES,
  betweenProcesses: false,
});
