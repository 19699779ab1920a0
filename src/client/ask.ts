import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { Requested } from '../contract/messages.ts';
import { besideWorkflowId } from '../contract/names.ts';
import { startOperation } from './operation.ts';

/** An input without the part that the context knows. */
export type Question<T> = T extends unknown ? Omit<T, keyof Requested> : never;

interface Asking {
  readonly client: Client;
  readonly group: string;
  readonly requestedBy: string;
}

/** Asks the repository by a run of its own, which may be beside whatever holds the group, and waits for the answer. */
export async function ask<Answer>(
  { client, group, requestedBy }: Asking,
  asked: {
    readonly workflow: string;
    readonly beside: 'catalog' | 'plan';
    readonly summary: string;
    readonly question: object;
  },
): Promise<Answer> {
  const { workflow, beside, summary, question } = asked;
  const started = await startOperation<Answer>(client, {
    workflow,
    workflowId: besideWorkflowId(group, beside, randomUUID()),
    group,
    kind: 'catalog',
    summary,
    requestedBy,
    input: { ...question, group, requestedBy },
  });
  return started.result();
}
