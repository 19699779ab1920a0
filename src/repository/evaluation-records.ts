import { z } from 'zod';
import type { WriterContext } from './context.ts';
import { openTrusted, signDocument } from './journals/signed-document.ts';
import { readSmallObject } from './small-object.ts';

/** `evaluations/<planId>.json`: the newest evaluation of a plan, signed; replaced by the next one. */
const EVALUATION = z.looseObject({
  version: z.literal(1),
  repositoryId: z.string(),
  planId: z.string(),
  definition: z.string(),
  at: z.iso.datetime(),
  by: z.string(),
  state: z.enum(['passed', 'action-required', 'unknown']),
  findings: z.array(z.object({ step: z.string().nullable(), code: z.string(), message: z.string() })),
});

/** What an evaluation of a plan found. */
export type EvaluationRecord = Readonly<
  Pick<z.infer<typeof EVALUATION>, 'planId' | 'definition' | 'at' | 'by' | 'state'>
> & { readonly findings: readonly { readonly step: string | null; readonly code: string; readonly message: string }[] };

/** Keeps it in the place of the one before: of two at once the later one stays. `key` is the place of the plan. */
export async function keepEvaluation(context: WriterContext, key: string, record: EvaluationRecord): Promise<void> {
  const document = { version: 1, repositoryId: context.id, ...record };
  await context.store.put(key, signDocument(context.signer, document, `record:${key}`));
}

/** Undefined where there is none that can be trusted: then nothing is known of the plan. */
export async function readEvaluation(
  context: WriterContext,
  key: string,
  planId: string,
): Promise<EvaluationRecord | undefined> {
  const bytes = await readSmallObject(context.store, key);
  if (bytes === undefined) return undefined;
  const record = openTrusted(context, { key, bytes, shape: EVALUATION });
  if (record?.repositoryId !== context.id || record.planId !== planId) return undefined;
  const { definition, at, by, state, findings } = record;
  return { planId, definition, at, by, state, findings };
}
