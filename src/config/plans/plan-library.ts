import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LifeboatError, toLifeboatError } from '../../domain/errors.ts';
import { durationMs } from '../../domain/duration.ts';
import { DEFAULT_PLAN } from '../../domain/plan/default-plan.ts';
import { nearestName } from '../../domain/nearest-name.ts';
import type { ResolvedPlan } from '../../domain/plan/recovery-plan.ts';
import { systemErrorCode } from '../../platform/system-error.ts';
import type { Config } from '../schema/config.ts';
import { isPlainObject } from '../schema/walk.ts';
import { digestOf } from './plan-digest.ts';
import { invalidPlan, resolvePlan, type PreparedPlan } from './resolve-plan.ts';

/** A plan as it stands somewhere, read and not checked. */
export interface PlanSource {
  readonly id: string;
  /** Absolute path; null: built in. */
  readonly file: string | null;
  readonly document: unknown;
}

/** What is known of a plan without asking anybody. */
export interface PlanSummary {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly priority: ResolvedPlan['priority'];
  readonly steps: number;
  readonly file: string | null;
  /** Of what was written, parameters not filled in: what a verification is bound to. */
  readonly definition: string;
  /** What is wrong with it; empty for a plan that can be run. */
  readonly problems: readonly string[];
}

/** The plans of one configuration: the one that is built in, and one for each `*.json` in `drPlans.dir`. Files are read at each call. */
export interface PlanLibrary {
  list(): readonly PlanSummary[];
  /** @throws LifeboatError PLAN_NOT_FOUND, PLAN_INVALID */
  find(idOrFile: string): PlanSource;
  /** A plan as it is run. @throws LifeboatError PLAN_NOT_FOUND, PLAN_INVALID */
  prepare(source: PlanSource, parameters?: Readonly<Record<string, string>>): PreparedPlan;
  /** Names of parameters without a value of their own: a plan with such cannot be prepared without one. */
  openParameters(source: PlanSource): readonly string[];
  /** Digest of what was written: the plan and those that it nests. */
  definitionOf(source: PlanSource): string;
}

export function openPlans({
  drPlans,
  objectives,
}: Pick<Config, 'objectives'> & { readonly drPlans: Pick<Config['drPlans'], 'dir'> }): PlanLibrary {
  const goals = {
    rtoMs: objectives.rto === undefined ? null : durationMs(objectives.rto),
    rpoMs: objectives.rpo === undefined ? null : durationMs(objectives.rpo),
  };
  const sources = (): readonly PlanSource[] => readPlans(drPlans.dir);
  const among = (find: Find): Pick<PlanLibrary, 'prepare' | 'definitionOf'> => ({
    prepare: ({ id, document }, parameters = {}) => resolvePlan(id, document, { parameters, objectives: goals, find }),
    definitionOf: ({ document }) => digestOf({ document, nested: nestedIds(document).map((id) => find(id) ?? null) }),
  });
  return {
    prepare: (source, parameters) => among(findIn(sources)).prepare(source, parameters),
    definitionOf: (source) => among(findIn(sources)).definitionOf(source),
    openParameters: ({ document }) => openParameters(document),
    list() {
      const all = sources();
      const { prepare, definitionOf } = among(findIn(() => all));
      return all.map((source) => summarise(source, prepare, definitionOf(source)));
    },
    find(idOrFile) {
      if (isFile(idOrFile)) return readPlan(idOrFile);
      const all = sources();
      const found = all.find(({ id }) => id === idOrFile);
      if (found !== undefined) return found;
      const known = all.map(({ id }) => id);
      const near = nearestName(idOrFile, known);
      throw new LifeboatError('PLAN_NOT_FOUND', `plan ${idOrFile}: not built in, and not in ${drPlans.dir}`, {
        details: { plan: idOrFile, known },
        ...(near === undefined
          ? {}
          : { hint: `did you mean ${near}? the ids are those of \`lifeboat dr list-plans\`` }),
      });
    },
  };
}

/** The document of a plan by its id; undefined where there is none. */
type Find = (planId: string) => unknown;

/** The folder is read once, and only where a plan names another. */
function findIn(read: () => readonly PlanSource[]): Find {
  let all: readonly PlanSource[] | undefined;
  return (planId) => (all ??= read()).find(({ id }) => id === planId)?.document;
}

/** A path as opposed to an id. */
export const isFile = (idOrFile: string): boolean => idOrFile.includes('/') || idOrFile.endsWith('.json');

function readPlans(dir: string): readonly PlanSource[] {
  const own = fileNames(dir).map((name) => readPlan(join(dir, name)));
  const isReplaced = own.some(({ id }) => id === DEFAULT_PLAN.id);
  return [...(isReplaced ? [] : [{ id: DEFAULT_PLAN.id, file: null, document: DEFAULT_PLAN }]), ...own];
}

function fileNames(dir: string): readonly string[] {
  try {
    return readdirSync(dir)
      .filter((name) => name.endsWith('.json') && !name.endsWith('.schema.json'))
      .toSorted();
  } catch (cause) {
    const code = systemErrorCode(cause);
    // A folder that nobody made holds no plan.
    if (code === 'ENOENT') return [];
    throw new LifeboatError('PLAN_INVALID', `read plans in ${dir}: ${code ?? 'not readable'}`, { cause });
  }
}

/** A file that cannot be read or is not JSON is a plan with a problem: it hides no other. */
function readPlan(file: string): PlanSource {
  const named = basename(file, '.json');
  try {
    const document: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const id = isPlainObject(document) && typeof document['id'] === 'string' ? document['id'] : named;
    return { id, file, document };
  } catch (cause) {
    return { id: named, file, document: { unreadable: systemErrorCode(cause) ?? 'not JSON' } };
  }
}

function summarise(source: PlanSource, prepare: PlanLibrary['prepare'], definition: string): PlanSummary {
  const { id, file, document } = source;
  const { name, description, priority, steps } = isPlainObject(document) ? document : {};
  return {
    id,
    name: typeof name === 'string' ? name : id,
    description: typeof description === 'string' ? description : '',
    priority: PRIORITIES.find((one) => one === priority) ?? 'normal',
    steps: Array.isArray(steps) ? steps.length : 0,
    file,
    definition,
    problems: problemsOf(source, prepare),
  };
}

const PRIORITIES = ['critical', 'high', 'normal', 'low'] as const;

/** A parameter that has to be given is no problem of the plan. */
function problemsOf(source: PlanSource, prepare: PlanLibrary['prepare']): readonly string[] {
  try {
    checkReadable(source);
    prepare(source, placeholders(source.document));
    return [];
  } catch (error) {
    const { details, message } = toLifeboatError(error);
    const { problems } = details;
    return Array.isArray(problems) ? problems : [message];
  }
}

function checkReadable({ id, document }: PlanSource): void {
  if (isPlainObject(document) && typeof document['unreadable'] === 'string' && document['id'] === undefined) {
    throw invalidPlan(id, [{ path: [], message: document['unreadable'] }]);
  }
}

/** Values for parameters that have none, so that the rest of a plan can be looked at: a time is a text of every kind that is asked for. */
function placeholders(document: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(openParameters(document).map((name) => [name, '2026-01-15T10:30:59Z']));
}

function openParameters(document: unknown): readonly string[] {
  const declared = isPlainObject(document) ? document['parameters'] : undefined;
  if (!isPlainObject(declared)) return [];
  const open = Object.entries(declared).filter(([, one]) => isPlainObject(one) && one['default'] === undefined);
  return open.map(([name]) => name);
}

function nestedIds(document: unknown): readonly string[] {
  const steps = isPlainObject(document) ? document['steps'] : undefined;
  if (!Array.isArray(steps)) return [];
  return steps.flatMap((step: unknown) => {
    const config = isPlainObject(step) ? step['config'] : undefined;
    const planId = isPlainObject(config) ? config['planId'] : undefined;
    return typeof planId === 'string' ? [planId] : [];
  });
}
