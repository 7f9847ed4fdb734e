export { BROKERED_CAPABILITIES as CAPABILITIES } from '../brokered/remote/brokered-backend.js';
