/** What pipes are like, on a line. */

import { InterprocError } from '../../errors.js';
import { DEFAULT_CODEC } from '../../contract/channel.js';
import { PIPE_DEFAULTS } from '../../contract/pipe.js';
import type { PipeGeometry, PipeOptions } from '../../contract/pipe.js';
import type { Body, FrameWriter } from './frames.js';

const SMALLEST_CAPACITY = 4096;
const LARGEST_CAPACITY = 2 ** 30;
const LARGEST_MESSAGE = 2 ** 30;

/** @throws ERR_INVALID_ARG */
export function pipeGeometry(options: PipeOptions): PipeGeometry {
  const wanted = options.capacityBytes ?? PIPE_DEFAULTS.capacityBytes;
  const maxMessageBytes = options.maxMessageBytes ?? PIPE_DEFAULTS.maxMessageBytes;
  if (!(wanted > 0 && wanted <= LARGEST_CAPACITY)) {
    throw new InterprocError(
      'ERR_INVALID_ARG',
      `capacityBytes is ${wanted}; a pipe holds ${LARGEST_CAPACITY} at most`,
    );
  }
  if (!(maxMessageBytes > 0)) {
    throw new InterprocError('ERR_INVALID_ARG', `maxMessageBytes is ${maxMessageBytes}`);
  }
  let capacityBytes = SMALLEST_CAPACITY;
  while (capacityBytes < wanted) capacityBytes *= 2;
  return Object.freeze({
    capacityBytes,
    maxMessageBytes: Math.min(maxMessageBytes, LARGEST_MESSAGE),
    duplex: options.duplex ?? true,
    codec: options.codec ?? DEFAULT_CODEC,
  });
}

export function writeGeometry(frame: FrameWriter, geometry: PipeGeometry): void {
  const { capacityBytes, maxMessageBytes, duplex, codec } = geometry;
  frame.f64(capacityBytes).f64(maxMessageBytes).bool(duplex).text(codec);
}

/** @throws ERR_INVALID_ARG, ERR_CORRUPT */
export function readGeometry(body: Body): PipeGeometry {
  const capacityBytes = body.f64();
  const maxMessageBytes = body.f64();
  const duplex = body.bool();
  return pipeGeometry({ capacityBytes, maxMessageBytes, duplex, codec: body.text() });
}
