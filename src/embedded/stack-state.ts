import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { LifeboatError } from '../domain/errors.ts';
import { writeFileAtomic } from '../platform/files.ts';
import { systemErrorCode } from '../platform/system-error.ts';

const service = z.object({
  pid: z.int().positive(),
  /** False while it starts: whoever finds it so after a crash replaces it. */
  ready: z.boolean(),
  /** Opaque; see process-identity.ts. */
  startedAt: z.string(),
  /** ISO 8601, for people. */
  since: z.string(),
  port: z.int().optional(),
  uiPort: z.int().optional(),
  /** SHA-256 of the configuration that a worker was started with, and the Temporal it was pointed at. */
  digest: z.string().optional(),
});
const state = z.object({ version: z.literal(1), services: z.record(z.string(), service) });

/** A background process of the local stack, as remembered in stack.json. */
export type ServiceRecord = z.infer<typeof service>;
export type StackState = z.infer<typeof state>;

/** What runs in the background; empty where nothing was ever started. Throws STACK_STATE_INVALID. */
export async function readStackState(stateDir: string): Promise<StackState> {
  const file = stackFile(stateDir);
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return { version: 1, services: {} };
  try {
    return state.parse(JSON.parse(text));
  } catch (cause) {
    throw new LifeboatError('STACK_STATE_INVALID', `read ${file}: not a stack state of version 1`, {
      cause,
      details: { file },
    });
  }
}

export async function writeStackState(stateDir: string, next: StackState): Promise<void> {
  await writeFileAtomic(stackFile(stateDir), `${JSON.stringify(state.parse(next), null, 2)}\n`);
}

function stackFile(stateDir: string): string {
  return join(stateDir, 'stack.json');
}
