import type { Check } from '../../domain/backup.ts';
import type { DrillPhase } from '../../domain/drill/drill.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';

/** What a rehearsal gathers as it goes. */
export interface Stages {
  readonly phases: readonly DrillPhase[];
  readonly checks: readonly Check[];
  readonly untried: readonly string[];
  note(...checks: readonly Check[]): void;
  skipped(what: string): void;
  /** Runs and times one stretch. */
  time<T>(phase: Pick<DrillPhase, 'name' | 'component'>, run: () => Promise<T>): Promise<T>;
  /** Milliseconds since the start. */
  elapsedMs(): number;
  /**
   * Runs a part of the rehearsal. What is wrong with the data becomes a failed check, what stands in the way of trying becomes something
   * untried, and undefined is given; everything else, which may pass or is our own fault, is thrown.
   */
  attempt<T>(what: string, run: () => Promise<T>): Promise<T | undefined>;
}

export function createStages(operation: Operation, startedAt = Date.now()): Stages {
  const phases: DrillPhase[] = [];
  const checks: Check[] = [];
  const untried: string[] = [];
  return {
    phases,
    checks,
    untried,
    note: (...found) => void checks.push(...found),
    skipped: (what) => void untried.push(what),
    async time({ name, component }, run) {
      const startMs = Date.now() - startedAt;
      operation.onProgress({ phase: [component, name].filter((part) => part !== null).join(': '), bytes: 0 });
      try {
        return await run();
      } finally {
        phases.push({ name, component, startMs, durationMs: Date.now() - startedAt - startMs });
      }
    },
    elapsedMs: () => Date.now() - startedAt,
    async attempt(what, run) {
      try {
        return await run();
      } catch (error) {
        operation.signal.throwIfAborted();
        if (!(error instanceof LifeboatError)) throw error;
        const kind = kindOf(error);
        if (kind === 'passes') throw error;
        if (kind === 'data') checks.push(failure(what, error));
        else untried.push(`${what}: ${error.message} (${error.code})`);
        return undefined;
      }
    },
  };
}

/** Said of a restore that came to its end elsewhere, these mean that the stored data cannot be used. */
const OF_DATA = new Set([
  'ARTIFACT_NOT_FOUND',
  'BACKUP_NOT_FOUND',
  'STORE_KEY_MISSING',
  'JOURNAL_FILE_MISSING',
  'JOURNAL_TARGET_OUTSIDE',
  'POSTGRES_COMBINE_FAILED',
  'POSTGRES_SCRATCH_FAILED',
  'POSTGRES_QUERY_FAILED',
  'POSTGRES_RESTORE_FAILED',
  'REDIS_SCRATCH_NOT_STARTED',
  'RDB_TYPE_UNKNOWN',
  'REDIS_PAYLOAD_REFUSED',
]);

function kindOf(error: LifeboatError): 'data' | 'obstacle' | 'passes' {
  const { exit, retry } = error.rule;
  if (OF_DATA.has(error.code)) return 'data';
  if (exit === 4) return retry === 'never' ? 'data' : 'passes';
  return retry === 'never' ? 'obstacle' : 'passes';
}

function failure(what: string, { message, code }: LifeboatError): Check {
  return { name: what, status: 'fail', expected: 'restorable', actual: code, message: `${message} (${code})` };
}
