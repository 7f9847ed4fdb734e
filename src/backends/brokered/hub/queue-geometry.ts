/** What a queue of a hub is like: made from the options of who creates it, compared with those of who opens it. */

import { CHANNEL_DEFAULTS, DEFAULT_CODEC, defaultSideBytes } from '../../../contract/channel.js';
import type { ChannelGeometry, ChannelOptions } from '../../../contract/channel.js';
import { fail } from './fail.js';

const SMALLEST_CAPACITY = 4096;
const LARGEST_CAPACITY = 2 ** 32;
const LARGEST_MESSAGE = 2 ** 30;

/** @throws ERR_INVALID_ARG */
export function queueGeometry(options: ChannelOptions, anonymous: boolean): ChannelGeometry {
  const asked = options.capacityBytes ?? CHANNEL_DEFAULTS.capacityBytes;
  if (asked > LARGEST_CAPACITY) {
    fail('ERR_INVALID_ARG', `capacityBytes is ${asked}; a queue holds ${LARGEST_CAPACITY} at most`);
  }
  const capacityBytes = 2 ** Math.ceil(Math.log2(Math.max(asked, SMALLEST_CAPACITY)));
  return {
    capacityBytes,
    maxMessageBytes: Math.min(
      options.maxMessageBytes ?? CHANNEL_DEFAULTS.maxMessageBytes,
      LARGEST_MESSAGE,
    ),
    maxSideBytes: options.maxSideBytes ?? defaultSideBytes(capacityBytes),
    maxItems: options.maxItems ?? 0,
    maxDeliveries: options.maxDeliveries ?? 0,
    deadLetter: options.deadLetter,
    codec: options.codec ?? DEFAULT_CODEC,
    persist: options.persist ?? false,
    anonymous,
    maxParticipants: options.maxParticipants ?? CHANNEL_DEFAULTS.maxParticipants,
  };
}

/** @throws ERR_MISMATCH if the queue is not as the options say */
export function assertAgreement(
  name: string,
  geometry: ChannelGeometry,
  options: ChannelOptions,
): void {
  const wanted = queueGeometry(options, geometry.anonymous);
  for (const key of Object.keys(options) as (keyof ChannelOptions)[]) {
    if (options[key] === undefined || wanted[key] === geometry[key]) continue;
    fail(
      'ERR_MISMATCH',
      `${key} of '${name}' is ${JSON.stringify(geometry[key])}, ${JSON.stringify(options[key])} was asked for; pass the options it was created with, or none`,
    );
  }
}
