import { ALERT_ERRORS } from './errors/alerts.ts';
import { CLI_ERRORS } from './errors/cli.ts';
import { CONFIG_ERRORS } from './errors/config.ts';
import { DRILL_ERRORS } from './errors/drills.ts';
import { EMBEDDED_ERRORS } from './errors/embedded.ts';
import { FAILOVER_ERRORS } from './errors/failover.ts';
import { JOURNAL_ERRORS } from './errors/journal.ts';
import { KEYS_ERRORS } from './errors/keys.ts';
import { KMS_ERRORS } from './errors/kms.ts';
import { MONITORING_ERRORS } from './errors/monitoring.ts';
import { OPERATION_ERRORS } from './errors/operation.ts';
import { PLAN_ERRORS } from './errors/plan.ts';
import { PLATFORM_ERRORS } from './errors/platform.ts';
import { POSTGRES_ERRORS } from './errors/postgres.ts';
import { REDIS_ERRORS } from './errors/redis.ts';
import { REDIS_DIGESTS_ERRORS } from './errors/redis-digests.ts';
import { REDIS_JOURNAL_ERRORS } from './errors/redis-journal.ts';
import { REDIS_VALUES_ERRORS } from './errors/redis-values.ts';
import { REPOSITORY_ERRORS } from './errors/repository.ts';
import { RESTORE_ERRORS } from './errors/restore.ts';
import type { ErrorRule } from './errors/rule.ts';
import { SCHEDULE_ERRORS } from './errors/schedules.ts';
import { SERVICE_ERRORS } from './errors/services.ts';
import { SOURCE_ERRORS } from './errors/source.ts';
import { STORAGE_ERRORS } from './errors/storage.ts';
import { TARGETS_ERRORS } from './errors/targets.ts';

/** Every error Lifeboat can report. Codes are AREA_CAUSE and are never reused; docs/reference/errors.md explains each. */
export const ERRORS = {
  ...OPERATION_ERRORS,
  ...RESTORE_ERRORS,
  ...DRILL_ERRORS,
  ...SOURCE_ERRORS,
  ...CONFIG_ERRORS,
  ...CLI_ERRORS,
  ...SERVICE_ERRORS,
  ...STORAGE_ERRORS,
  ...TARGETS_ERRORS,
  ...REPOSITORY_ERRORS,
  ...KEYS_ERRORS,
  ...KMS_ERRORS,
  ...POSTGRES_ERRORS,
  ...REDIS_ERRORS,
  ...REDIS_VALUES_ERRORS,
  ...REDIS_JOURNAL_ERRORS,
  ...REDIS_DIGESTS_ERRORS,
  ...JOURNAL_ERRORS,
  ...FAILOVER_ERRORS,
  ...EMBEDDED_ERRORS,
  ...PLAN_ERRORS,
  ...MONITORING_ERRORS,
  ...ALERT_ERRORS,
  ...PLATFORM_ERRORS,
  ...SCHEDULE_ERRORS,
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** Facts beside the message: sizes, keys, names. Never a secret: they reach histories, logs and reports. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

export interface LifeboatErrorOptions {
  readonly cause?: unknown;
  readonly details?: ErrorDetails;
  /** Replaces the table's hint where the facts allow a better one. */
  readonly hint?: string;
}

/**
 * The one error type. `message` is lower case, made of facts, in the form `doing what: to what: what happened`,
 * without a full stop and without "failed to".
 */
export class LifeboatError extends Error {
  override readonly name = 'LifeboatError';
  readonly code: ErrorCode;
  readonly hint: string;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: LifeboatErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? ERRORS[code].hint;
    this.details = options.details ?? {};
  }

  get rule(): ErrorRule {
    return ERRORS[this.code];
  }
}

/** Tells whether a string taken from a wire or a file is one of our codes. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value);
}

/** Any thrown value as a LifeboatError: ours as it is, everything else as INTERNAL with the cause kept. */
export function toLifeboatError(error: unknown): LifeboatError {
  if (error instanceof LifeboatError) return error;
  return new LifeboatError('INTERNAL', messageOf(error), { cause: error });
}

/** What a thrown value says. `instanceof Error` would not do: errors of other realms (test runners, workflow isolates) are errors, too. */
export function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
}
