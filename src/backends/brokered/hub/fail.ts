import { InterprocError } from '../../../errors.js';
import type { ErrorCode } from '../../../errors.js';

export function fail(code: ErrorCode, message: string): never {
  throw new InterprocError(code, message);
}
