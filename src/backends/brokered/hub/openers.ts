/** Which operation opens what. */

import {
  OPEN_BACKLOG,
  OPEN_CHANNEL,
  OPEN_CHANNEL_TICKET,
  OPEN_LISTENER,
  OPEN_PIPE,
  OPEN_PIPE_TICKET,
  OPEN_STATE,
  OPEN_STATE_TICKET,
} from '../operations.js';
import type { Opener } from './hub.js';
import { openBacklog, openListener } from './listener-attachment.js';
import { openState, openStateTicket } from './open-state.js';
import { openPipe, openPipeTicket } from './pipe-attachment.js';
import { openQueue, openQueueTicket } from './queue-attachment.js';

export const OPENERS: ReadonlyMap<number, Opener> = new Map<number, Opener>([
  [OPEN_CHANNEL, openQueue],
  [OPEN_CHANNEL_TICKET, openQueueTicket],
  [OPEN_STATE, openState],
  [OPEN_STATE_TICKET, openStateTicket],
  [OPEN_PIPE, openPipe],
  [OPEN_PIPE_TICKET, openPipeTicket],
  [OPEN_LISTENER, openListener],
  [OPEN_BACKLOG, openBacklog],
]);
