/** What the two sides of a listener and their hub say to each other. */

import { LISTENER_OPERATIONS } from './operations.js';

// OPEN_LISTENER: text name, u32 backlog, bool isKeyed, geometry of the connections -> a listener.
// OPEN_BACKLOG: text name -> a listener.
// A listener: u32 handle, u64 identity, u32 backlog, bool isKeyed, geometry of the connections.

/** -> u8 whether there is a client, u32 its process, its end of a pipe */
export const ACCEPT_CLIENT = LISTENER_OPERATIONS;
/** u32 handle of an end, messages packed that it has received -> u8 OFFER_… */
export const OFFER_CLIENT = LISTENER_OPERATIONS + 1;
/** -> nothing */
export const END_LISTENING = LISTENER_OPERATIONS + 2;
/** -> u32 */
export const CLIENTS_WAITING = LISTENER_OPERATIONS + 3;

export const OFFER_TAKEN = 0;
export const OFFER_FULL = 1;
export const OFFER_ENDED = 2;
