import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { LifeboatError } from '../domain/errors.ts';
import { canonicalJson } from './canonical-json.ts';
import type { WriterContext } from './context.ts';
import { type EvaluationRecord, keepEvaluation, readEvaluation } from './evaluation-records.ts';
import { openTrusted, signDocument } from './journals/signed-document.ts';
import { EVALUATIONS_PREFIX, PLANS_PREFIX, REPORTS_PREFIX } from './layout.ts';
import { putOnce, readCanonical, readSmallObject } from './small-object.ts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** `plans/<planId>/<time>-<random>.json`, signed, never changed; the newest counts. */
const VERIFICATION = z.looseObject({
  version: z.literal(1),
  repositoryId: z.string(),
  planId: z.string(),
  definition: z.string(),
  at: z.iso.datetime(),
  by: z.string(),
  how: z.enum(['evaluation', 'drill']),
});
export interface PlanVerificationRecord {
  readonly planId: string;
  /** SHA-256 of the plan as it was written. */
  readonly definition: string;
  /** ISO 8601. */
  readonly at: string;
  readonly by: string;
  readonly how: 'evaluation' | 'drill';
}

/** What a repository keeps of recovery plans: reports of runs, and that a plan was found to be possible. */
export interface PlanRecords {
  /** `reports/<runId>/report.json`; the same again is a success. Gives its URL. */
  keepReport(runId: string, report: unknown): Promise<string>;
  /** The report as it was kept, and its URL; undefined where there is none. @throws LifeboatError OBJECT_DAMAGED */
  loadReport(runId: string): Promise<{ readonly report: unknown; readonly path: string } | undefined>;
  /** Id of the newest run, nested ones left out, that has a report. */
  newestReport(): Promise<string | undefined>;
  recordVerification(record: PlanVerificationRecord): Promise<void>;
  /** Newest of a plan; undefined where there is none that can be trusted. */
  verificationOf(planId: string): Promise<PlanVerificationRecord | undefined>;
  /** In the place of the one before. */
  keepEvaluation(record: EvaluationRecord): Promise<void>;
  /** Newest of a plan; undefined where there is none that can be trusted. */
  evaluationOf(planId: string): Promise<EvaluationRecord | undefined>;
}

export function createPlanRecords(context: WriterContext): PlanRecords {
  const { store } = context;
  const pathOf = (key: string): string => `${store.url.replace(/\/$/, '')}/${key}`;
  return {
    async keepReport(runId, report) {
      const key = reportKey(runId);
      await putOnce(store, key, canonicalJson(report));
      return pathOf(key);
    },
    async loadReport(runId) {
      const key = reportKey(runId);
      const report = await readCanonical(store, key);
      return report === undefined ? undefined : { report, path: pathOf(key) };
    },
    async newestReport() {
      let newest: string | undefined;
      for await (const name of store.folders(REPORTS_PREFIX)) {
        if (name.startsWith('run-') && !name.includes('.')) newest = name;
      }
      return newest;
    },
    recordVerification: async (record) => recordVerification(context, record),
    verificationOf: async (planId) => verificationOf(context, planId),
    keepEvaluation: async (record) => keepEvaluation(context, evaluationKey(record.planId), record),
    evaluationOf: async (planId) => readEvaluation(context, evaluationKey(planId), planId),
  };
}

/** The name begins with the time, so that names sort by it; the rest keeps two at one moment apart. */
async function recordVerification(context: WriterContext, record: PlanVerificationRecord): Promise<void> {
  const name = `${record.at.replaceAll(/[:.]/g, '-')}-${randomBytes(4).toString('hex')}`;
  const key = `${verificationPrefix(record.planId)}${name}.json`;
  const document = { version: 1, repositoryId: context.id, ...record };
  await context.store.put(key, signDocument(context.signer, document, `record:${key}`), { ifNoneMatch: true });
}

/** A record that nobody trusts verifies nothing; the one before it does not count either, since the plan may have been another. */
async function verificationOf(context: WriterContext, planId: string): Promise<PlanVerificationRecord | undefined> {
  const { store } = context;
  let key: string | undefined;
  for await (const found of store.list(verificationPrefix(planId))) ({ key } = found);
  const bytes = key === undefined ? undefined : await readSmallObject(store, key);
  if (key === undefined || bytes === undefined) return undefined;
  const record = openTrusted(context, { key, bytes, shape: VERIFICATION });
  if (record?.repositoryId !== context.id || record.planId !== planId) return undefined;
  const { definition, at, by, how } = record;
  return { planId, definition, at, by, how };
}

const verificationPrefix = (planId: string): string => `${PLANS_PREFIX}${named(planId, 'PLAN_NOT_FOUND')}/`;
const evaluationKey = (planId: string): string => `${EVALUATIONS_PREFIX}${named(planId, 'PLAN_NOT_FOUND')}.json`;
const reportKey = (runId: string): string => `${REPORTS_PREFIX}${named(runId, 'PLAN_RUN_NOT_FOUND')}/report.json`;

/** Ids come from people, too: what is not one never becomes part of a key. */
function named(id: string, code: 'PLAN_NOT_FOUND' | 'PLAN_RUN_NOT_FOUND'): string {
  if (NAME.test(id)) return id;
  throw new LifeboatError(code, `${JSON.stringify(id)}: not an id`);
}
