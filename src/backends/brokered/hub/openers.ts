/** Which operation opens what. */

import type { Opener } from './hub.js';

export const OPENERS: ReadonlyMap<number, Opener> = new Map<number, Opener>([]);
