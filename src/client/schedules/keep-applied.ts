import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { ConfiguredSchedule } from '../../config/schedules/schedule-definitions.ts';
import { toLifeboatError } from '../../domain/errors.ts';
import { applySchedules, type AppliedSchedule } from './apply-schedules.ts';

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

/** How a worker says how it goes. */
export interface ApplyLog {
  info(message: string, facts: Readonly<Record<string, unknown>>): void;
  warn(message: string, facts: Readonly<Record<string, unknown>>): void;
}

/**
 * Applies schedules until it has worked once, or `signal` aborts: a worker works without them, and a Temporal that is away meanwhile is no
 * reason to end it. Never rejects.
 */
export async function applyUntilDone(
  connect: () => Promise<{ readonly client: Client; close(): Promise<void> }>,
  asked: { readonly group: string; readonly configured: readonly ConfiguredSchedule[] },
  { log, signal }: { readonly log: ApplyLog; readonly signal: AbortSignal },
): Promise<void> {
  for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)) {
    try {
      const { client, close } = await connect();
      try {
        const applied = await client.connection.withAbortSignal(signal, () =>
          applySchedules(client, asked.group, asked.configured),
        );
        log.info('schedules applied', { schedules: inWords(applied) });
        return;
      } finally {
        await close();
      }
    } catch (error) {
      if (signal.aborted) return;
      log.warn('apply schedules', { error: toLifeboatError(error).message, again: `in ${pauseMs / 1_000} s` });
      // Ends early with the worker.
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

function inWords(applied: readonly AppliedSchedule[]): string {
  return applied.map(({ name, change }) => `${name} ${change}`).join(', ');
}
