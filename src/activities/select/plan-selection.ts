import type { RestoreSelectionInput } from '../../contract/selection.ts';
import type { Manifest } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import type { ReplayPlan } from '../../domain/replay.ts';
import { planSelection, sideSchema, type SelectionPlan, type SelectionSurvey } from '../../domain/selection-plan.ts';
import { parseTableName } from '../../domain/table-name.ts';
import { createRedisSelection } from '../../redis/select/create-selection.ts';
import type { Dependencies } from '../dependencies.ts';
import { chooseSource } from '../read-source.ts';
import { resolveReplay } from '../replay/resolve-replay.ts';
import { postgresTarget, redisTarget } from '../sources.ts';

/** What a request means, and whether it can be done; changes nothing. */
export async function surveySelection(
  deps: Dependencies,
  { request, startedAt }: { readonly request: RestoreSelectionInput; readonly startedAt: string },
  operation: Operation,
): Promise<SelectionPlan> {
  const restoreId = `restore-${startedAt.replace(/[:.]/g, '-')}`;
  const { tables, keys } = request;
  const components = [
    ...(tables.length > 0 ? (['postgres'] as const) : []),
    ...(keys.length > 0 ? (['redis'] as const) : []),
  ];
  const whole = { ...request, components, targetDatabase: null, stopServices: false, dropExisting: request.inPlace };
  const { deps: source, from, notice } = await chooseSource(deps, request.fromTarget);
  const { manifest, replay } = await resolveReplay(source, whole, operation);
  const survey: SelectionSurvey = {
    postgres:
      tables.length > 0 ? await surveyPostgres(source, { manifest, request, restoreId, replay }, operation) : null,
    redis: keys.length > 0 ? await surveyRedis(deps, keys, operation) : null,
  };
  const plan = planSelection(manifest, request, { survey, restoreId, replay });
  return from === undefined ? plan : { ...plan, from, notice };
}

async function surveyPostgres(
  deps: Dependencies,
  about: {
    readonly manifest: Manifest;
    readonly request: RestoreSelectionInput;
    readonly restoreId: string;
    readonly replay: ReplayPlan | null;
  },
  operation: Operation,
): Promise<NonNullable<SelectionSurvey['postgres']>> {
  const { manifest, request, restoreId, replay } = about;
  const database = manifest.components.postgres?.database;
  if (database === undefined) {
    throw new LifeboatError('RESTORE_COMPONENT_MISSING', `${manifest.id} holds no postgres`);
  }
  const { tables } = await deps.postgres();
  const intoSchema = request.inPlace ? null : (request.intoSchema ?? sideSchema(restoreId));
  const target = { ...postgresTarget(deps.settings), database };
  const names = request.tables.map(parseTableName);
  const survey = await tables.survey({ target, tables: names, intoSchema });
  if (replay?.postgres) return { ...survey, known: null };
  const repository = await deps.repository();
  const known = await tables.list((name) => repository.readArtifact(manifest, 'postgres', name, operation));
  return { ...survey, known };
}

async function surveyRedis(
  deps: Dependencies,
  patterns: readonly string[],
  operation: Operation,
): Promise<NonNullable<SelectionSurvey['redis']>> {
  const target = redisTarget(deps.settings);
  const { role } = await deps.redis.surveyTarget(target, operation);
  return { role, matching: await createRedisSelection().countMatching(target, patterns, operation) };
}
