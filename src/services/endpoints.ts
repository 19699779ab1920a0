import { setTimeout as delay } from 'node:timers/promises';
import { LifeboatError } from '../domain/errors.ts';
import { runProgram, type ProgramEnd } from './run-program.ts';
import type { ServiceCommand } from './services.ts';

/** What clients connect through, and the programs that lead it to another region. */
export interface EndpointDefinition {
  readonly name: string;
  readonly apply: ServiceCommand;
  /** Asks through the endpoint which server answers: ends with 0 when it is the one of the region. */
  readonly verify: ServiceCommand;
  readonly undo: ServiceCommand | null;
}

export interface EndpointContext {
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** The configured endpoints. Rejects with ENDPOINT_UNKNOWN, ENDPOINT_NOT_REPOINTED, TOOL_MISSING and the reason of an abort. */
export interface Endpoints {
  readonly names: readonly string[];
  /** Names of those whose kind this version cannot lead anywhere. */
  readonly unavailable: readonly string[];
  /** Applies and verifies; where either fails, what was begun is undone where that is configured. Repeated it applies again. */
  repoint(name: string, context: EndpointContext): Promise<void>;
}

const APPLY_TIMEOUT_MS = 120_000;
/** Names that clients have looked up live on for a while. */
const VERIFY_WITHIN_MS = 60_000;
const VERIFY_EVERY_MS = 1_000;

export function createEndpoints(
  definitions: readonly EndpointDefinition[],
  unavailable: readonly string[],
  verifyWithinMs = VERIFY_WITHIN_MS,
): Endpoints {
  const names = definitions.map(({ name }) => name);
  return {
    names,
    unavailable,
    async repoint(name, context) {
      const found = definitions.find((definition) => definition.name === name);
      if (found === undefined) {
        const details = { endpoint: name, known: names };
        throw new LifeboatError('ENDPOINT_UNKNOWN', `endpoint ${name}: not configured`, { details });
      }
      const applied = await run(found, 'apply', context);
      const trouble = applied ?? (await verify(found, context, verifyWithinMs));
      if (trouble === null) return;
      const undone = found.undo === null ? null : await run(found, 'undo', context);
      const undoing = undone === null ? '' : `; and ${undone}`;
      throw new LifeboatError('ENDPOINT_NOT_REPOINTED', `endpoint ${name}: ${trouble}${undoing}`, {
        details: { endpoint: name },
      });
    },
  };
}

/** What the last look said, once it has not said yes for long enough; null where it did. */
async function verify(
  endpoint: EndpointDefinition,
  context: EndpointContext,
  withinMs: number,
): Promise<string | null> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const trouble = await run(endpoint, 'verify', context);
    if (trouble === null || performance.now() >= deadline) return trouble;
    await delay(VERIFY_EVERY_MS, undefined, { signal: context.signal });
  }
}

/** Null where it ended with 0, else how it ended. */
async function run(
  endpoint: EndpointDefinition,
  what: 'apply' | 'verify' | 'undo',
  { env, signal }: EndpointContext,
): Promise<string | null> {
  const command = endpoint[what];
  if (command === null) return null;
  const request = { name: `${what} of endpoint ${endpoint.name}`, command, timeoutMs: APPLY_TIMEOUT_MS, env, signal };
  return describe(what, await runProgram(request));
}

function describe(what: string, ended: ProgramEnd): string | null {
  if (ended.end === 'done') return null;
  return ended.end === 'failed' ? `${what}: ${ended.said}` : `${what}: not done after ${APPLY_TIMEOUT_MS} ms`;
}
