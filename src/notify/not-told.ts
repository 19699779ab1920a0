import { LifeboatError } from '../domain/errors.ts';

/** Why a channel did not take a message. What a library threw may name its URL or key: its code is taken, and never the error itself. */
export function notTold(channel: string, why: string): LifeboatError {
  return new LifeboatError('NOTIFICATION_FAILED', `tell channel ${channel}: ${why}`, { details: { channel } });
}
