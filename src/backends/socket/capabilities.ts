export { BROKERED_CAPABILITIES as CAPABILITIES } from '../brokered/capabilities.js';
