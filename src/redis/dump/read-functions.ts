import { LifeboatError } from '../../domain/errors.ts';
import { replyError } from '../reply-error.ts';
import { RespError } from '../resp.ts';
import type { RedisSocket } from '../socket.ts';
import { functionLibraries } from '../values/functions.ts';
import { openPayload } from './stream/payload.ts';

/** All function libraries of a server. */
export interface DumpedFunctions {
  /** As FUNCTION DUMP gives it. */
  readonly payload: Buffer;
  /** Code of each library. */
  readonly libraries: readonly Buffer[];
  readonly rdbVersion: number;
}

/** Undefined when there are none, also on servers that know no functions. */
export async function readFunctions(socket: RedisSocket): Promise<DumpedFunctions | undefined> {
  const [payload] = await socket.pipeline([['FUNCTION', 'DUMP']]);
  if (payload instanceof RespError) {
    // Before 7.0 the command is unknown and nothing is left out. Anything but ERR is a refusal.
    if (payload.code === 'ERR') return undefined;
    throw replyError(payload, `function dump at redis ${socket.name}`);
  }
  if (!(payload instanceof Buffer)) {
    throw new LifeboatError('REDIS_PROTOCOL_ERROR', `function dump at redis ${socket.name}: reply of another shape`);
  }
  const { content, rdbVersion } = openPayload(payload);
  const libraries = functionLibraries(content);
  return libraries.length === 0 ? undefined : { payload, libraries, rdbVersion };
}
