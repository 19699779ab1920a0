import { z } from 'zod';
import type { DrillReport, StoredReport } from '../../domain/drill/drill.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { openRecord } from '../cleanup/signed-record.ts';
import type { RepositoryContext, WriterContext } from '../context.ts';
import { signDocument } from '../journals/signed-document.ts';
import { REPORTS_PREFIX, reportPrefix } from '../layout.ts';
import { putOnce, readSmallObject, sha256Of } from '../small-object.ts';

/** Reports of drills: `reports/<drill id>/report.json`, signed, and `report.html` for people. */
export interface Reports {
  /** Writes both, the JSON last. Repeated with the same report it succeeds. `render` gets the SHA-256 of the JSON. */
  keep(report: DrillReport, render: (sha256: string) => string): Promise<StoredReport>;
  /** Ids of drills, newest first, at most `limit`. */
  list(limit: number): Promise<readonly string[]>;
  /** @throws LifeboatError DRILL_NOT_FOUND, RECORD_DAMAGED */
  load(drillId: string): Promise<{ readonly report: DrillReport } & StoredReport>;
}

/** What is read of a report later; the rest is as it was written, which its signature says. */
const SHAPE = z.looseObject({
  version: z.literal(1),
  drillId: z.string(),
  group: z.string(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  verdict: z.enum(['pass', 'fail', 'incomplete']),
  reasons: z.array(z.string()),
  phases: z.array(z.looseObject({ name: z.string() })),
  checks: z.array(z.looseObject({ name: z.string() })),
  rtoMs: z.number().nullable(),
  rpoMs: z.number().nullable(),
  nextDueAt: z.string().nullable(),
});

export function createReports(context: WriterContext): Reports {
  const { store, signer } = context;
  return {
    async keep(report, render) {
      const { drillId } = report;
      const { json, html } = keysOf(drillId);
      const bytes = signDocument(signer, report, `report:${drillId}`);
      const sha256 = sha256Of(bytes);
      await putOnce(store, html, Buffer.from(render(sha256)));
      await putOnce(store, json, bytes);
      return { sha256, location: locationOf(context, drillId) };
    },
    list: async (limit) => (await drillIds(context)).slice(0, limit),
    load: async (drillId) => loadReport(context, drillId),
  };
}

async function drillIds({ store }: RepositoryContext): Promise<string[]> {
  const ids: string[] = [];
  for await (const { key } of store.list(`${REPORTS_PREFIX}drill-`)) {
    const [id = '', file] = key.slice(REPORTS_PREFIX.length).split('/');
    if (file === 'report.json') ids.push(id);
  }
  return ids.toSorted().toReversed();
}

async function loadReport(
  context: RepositoryContext,
  drillId: string,
): Promise<{ readonly report: DrillReport } & StoredReport> {
  const { json: key } = keysOf(drillId);
  const bytes = await readSmallObject(context.store, key);
  if (bytes === undefined) {
    throw new LifeboatError('DRILL_NOT_FOUND', `drill ${drillId}: not in ${context.store.url}`, {
      details: { drillId },
    });
  }
  const report = openRecord(context, { key, bytes, shape: SHAPE }) as unknown as DrillReport;
  if (report.drillId !== drillId) throw new LifeboatError('RECORD_DAMAGED', `${key}: of ${report.drillId}`);
  return { report, sha256: sha256Of(bytes), location: locationOf(context, drillId) };
}

function keysOf(drillId: string): { readonly json: string; readonly html: string } {
  const prefix = reportPrefix(drillId);
  return { json: `${prefix}report.json`, html: `${prefix}report.html` };
}

const locationOf = ({ store }: RepositoryContext, drillId: string): string => `${store.url}/${reportPrefix(drillId)}`;
