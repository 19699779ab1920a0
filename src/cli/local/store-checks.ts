import { LifeboatError, toLifeboatError } from '../../domain/errors.ts';
import type { Probe } from '../../storage/doctor/probe.ts';

/** One line of `store doctor`. A skip says why and never counts as a pass. */
export interface StoreCheck {
  readonly name: string;
  readonly status: 'pass' | 'fail' | 'skip';
  readonly message: string;
  readonly hint: string;
  /** Undefined where nothing failed. */
  readonly error: LifeboatError | undefined;
}

/** Where not even this works, the others only repeat why. */
const FIRST = 'write and read';

/** What a primary cannot do without; the rest is a risk that can be known and borne. */
const PRIMARY_NEEDS: readonly string[] = [
  FIRST,
  'conditional write',
  'conditional write, big object',
  'conditional replacement',
  'first writers at once',
  'order of lists',
];

/** Whether nothing failed that a primary needs. */
export function isFitAsPrimary(checks: readonly StoreCheck[]): boolean {
  return checks.every(({ name, error }) => error === undefined || !PRIMARY_NEEDS.includes(name));
}

/** One after the other, as each says something about what the next would mean. */
export async function runProbes(probes: readonly Probe[], signal: AbortSignal): Promise<StoreCheck[]> {
  const checks: StoreCheck[] = [];
  for (const probe of probes) {
    signal.throwIfAborted();
    const broken = checks.find(({ name, error }) => name === FIRST && error !== undefined);
    checks.push(broken === undefined ? await runProbe(probe) : notTried(probe.name));
  }
  return checks;
}

function notTried(name: string): StoreCheck {
  return { name, status: 'skip', message: `not tried: ${FIRST} failed`, hint: '', error: undefined };
}

async function runProbe({ name, run }: Probe): Promise<StoreCheck> {
  try {
    const { status, message, hint = '' } = await run();
    return { name, status, message, hint, error: undefined };
  } catch (thrown) {
    const error = toLifeboatError(thrown);
    return { name, status: 'fail', message: error.message, hint: error.hint, error };
  }
}

/** The first failure decides the code: later ones are often its consequence. */
export function verdict(url: string, checks: readonly StoreCheck[]): LifeboatError | undefined {
  const failed = checks.flatMap(({ name, error }) => (error === undefined ? [] : [{ name, error }]));
  const [first] = failed;
  if (first === undefined) return undefined;
  const names = failed.map(({ name }) => name);
  return new LifeboatError(
    first.error.code,
    `examine ${url}: ${failed.length} of ${checks.length} checks failed: ${names.join(', ')}`,
    { cause: first.error, hint: first.error.hint, details: { failed: names } },
  );
}
