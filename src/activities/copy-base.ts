import type { BaseBackupFacts } from '../domain/backup.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { Operation } from '../domain/operation.ts';
import type { PhysicalBackup } from '../postgres/physical/physical.ts';
import type { PostgresTarget } from '../postgres/postgres.ts';
import type { Dependencies } from './dependencies.ts';
import type { OpenComponent } from './open-component.ts';

export interface CopiedBase {
  /** Null where the server allows no physical base. */
  readonly base: BaseBackupFacts | null;
  readonly warnings: readonly string[];
}

/**
 * The physical copy beside the logical one, where the server allows it. With `auto` a server that does not is no error: the warning
 * says what that costs.
 */
export async function copyBase(
  deps: Dependencies,
  source: { readonly target: PostgresTarget; readonly physical: boolean | 'auto'; readonly component: OpenComponent },
  operation: Operation,
): Promise<CopiedBase> {
  const { target, physical, component } = source;
  if (physical === false) return { base: null, warnings: [] };
  try {
    const library = await openPhysical(deps, target);
    await keepWalFromHere(deps, target);
    const base = await library.takeBase({ target }, { sink: component.write, operation });
    return { base, warnings: [] };
  } catch (error) {
    if (physical === true || !(error instanceof LifeboatError) || !MEANS_NONE.has(error.code)) throw error;
    return { base: null, warnings: [`no physical base, so no restore to a point in time: ${error.message}`] };
  }
}

/** The server, or this machine, can give no base at all: no use in trying again. */
const MEANS_NONE: ReadonlySet<string> = new Set([
  'POSTGRES_BASE_IMPOSSIBLE',
  'POSTGRES_TABLESPACES',
  'POSTGRES_SERVER_MISSING',
  'POSTGRES_TOOL_MISSING',
]);

/** @throws LifeboatError with the survey's code where the server allows no base */
async function openPhysical(deps: Dependencies, target: PostgresTarget): Promise<PhysicalBackup> {
  const { serverVersion } = await inspectVersion(deps, target);
  const library = await deps.physical(Math.floor(serverVersion / 10_000));
  const survey = await library.survey(target);
  if (survey.possible) return library;
  throw new LifeboatError('POSTGRES_BASE_IMPOSSIBLE', survey.reason);
}

async function inspectVersion(deps: Dependencies, target: PostgresTarget): Promise<{ readonly serverVersion: number }> {
  return (await deps.postgres()).inspect(target, { bigTableBytes: Number.MAX_SAFE_INTEGER });
}

/** Before the base begins, so that the journal can go on from it without a hole. */
async function keepWalFromHere(deps: Dependencies, target: PostgresTarget): Promise<void> {
  const { enabled, slot } = deps.settings.journal;
  if (enabled) await deps.wal.createSlot(target, slot);
}
