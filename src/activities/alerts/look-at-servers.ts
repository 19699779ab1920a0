import type { SilentServer } from '../../domain/alerts/alert-facts.ts';
import { ERRORS, isErrorCode } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import type { Dependencies } from '../dependencies.ts';
import { runChecks } from '../plan/run-checks.ts';
import { configuredComponents } from '../sources.ts';

/** Exit code of what could not be reached; another answer is an answer. */
const UNREACHABLE_EXIT = 7;

/** The configured servers that do not answer an ordinary question. */
export async function lookAtServers(
  { settings }: Dependencies,
  operation: Operation,
): Promise<readonly SilentServer[]> {
  const kinds = configuredComponents(settings);
  const answers = await Promise.all(
    kinds.map(async (kind) => {
      const check = { type: kind, name: kind, writable: false, minKeys: null, maxKeys: null } as const;
      return runChecks(settings, [check], operation);
    }),
  );
  return answers.flat().flatMap(({ status, name, actual: code, message }) => {
    const kind = kinds.find((one) => one === name);
    const isSilent = status === 'fail' && isErrorCode(code) && ERRORS[code].exit === UNREACHABLE_EXIT;
    return isSilent && kind !== undefined ? [{ kind, code, message }] : [];
  });
}
