import { LifeboatError } from '../../domain/errors.ts';
import { durationMs } from '../../domain/duration.ts';
import type { ResolvedPlan } from '../../domain/plan/recovery-plan.ts';
import { explainIssue } from '../explain-issue.ts';
import type { Issue } from '../secrets.ts';
import { isPlainObject } from '../schema/walk.ts';
import { fillParameters } from './parameters.ts';
import { digestOf } from './plan-digest.ts';
import { planSchema, type PlanDocument } from './plan-schema.ts';
import { resolveStep } from './resolve-step.ts';

/** A plan as it is run. */
export interface PreparedPlan {
  readonly plan: ResolvedPlan;
  /** SHA-256 of `plan`: what a run and its approvals are bound to. */
  readonly digest: string;
}

export interface ResolveOptions {
  /** Values by the name of a parameter. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Of the configuration, milliseconds; null where it has none. A plan's own win. */
  readonly objectives?: ResolvedPlan['objectives'];
  /** The document of another plan, for steps of type `plan`. */
  find?(planId: string): unknown;
}

/**
 * Checks a plan's document (the JSON of a file), fills in parameters and defaults.
 * @throws LifeboatError PLAN_INVALID, every problem named in `details.problems`
 */
export function resolvePlan(name: string, document: unknown, options: ResolveOptions = {}): PreparedPlan {
  const issues: Issue[] = [];
  const plan = resolveDocument(document, options, issues);
  if (plan === undefined || issues.length > 0) throw invalidPlan(name, issues);
  return { plan, digest: digestOf(plan) };
}

function resolveDocument(document: unknown, options: ResolveOptions, issues: Issue[]): ResolvedPlan | undefined {
  if (!isPlainObject(document)) {
    issues.push({ path: [], message: 'not a JSON object' });
    return undefined;
  }
  const filled = fillParameters(document, options.parameters ?? {});
  const parsed = planSchema.safeParse(filled.document);
  issues.push(...filled.issues);
  if (!parsed.success) {
    issues.push(...parsed.error.issues.flatMap((issue) => explainIssue(planSchema, issue)));
    return undefined;
  }
  issues.push(...repeatedIds(parsed.data));
  return assemble(parsed.data, options, issues);
}

function assemble(document: PlanDocument, options: ResolveOptions, issues: Issue[]): ResolvedPlan {
  const context = { document, issues, nested: (planId: string) => resolveNested(planId, options) };
  const { id, name, description, priority, objectives } = document;
  const { rtoMs = null, rpoMs = null } = options.objectives ?? {};
  return {
    id,
    name,
    description,
    priority,
    objectives: {
      rtoMs: objectives.rto === undefined ? rtoMs : durationMs(objectives.rto),
      rpoMs: objectives.rpo === undefined ? rpoMs : durationMs(objectives.rpo),
    },
    steps: document.steps
      .map((step, index) => resolveStep(step, ['steps', index], context))
      .toSorted((left, right) => left.order - right.order),
  };
}

/** One level deep: a nested plan is given no other plans. */
function resolveNested(planId: string, { find, objectives }: ResolveOptions): ResolvedPlan | undefined {
  const document = find?.(planId);
  if (document === undefined) return undefined;
  const issues: Issue[] = [];
  const plan = resolveDocument(document, objectives === undefined ? {} : { objectives }, issues);
  return issues.length === 0 ? plan : undefined;
}

function repeatedIds({ steps }: PlanDocument): readonly Issue[] {
  return steps
    .map(({ id }, index) => ({ id, index }))
    .filter(({ id, index }) => steps.findIndex((step) => step.id === id) !== index)
    .map(({ id, index }) => ({ path: ['steps', index, 'id'], message: `${id} is there twice` }));
}

/** The error of a plan that cannot be used. */
export function invalidPlan(name: string, issues: readonly Issue[]): LifeboatError {
  const problems = issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`,
  );
  return new LifeboatError('PLAN_INVALID', `plan ${name}: ${problems.join('; ')}`, {
    details: { plan: name, problems },
  });
}
