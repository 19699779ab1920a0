import { readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
import { identifyProcess, isRunning, type ProcessIdentity } from '../../platform/process-identity.ts';

/** Who has a turn. */
export interface TurnHolder extends ProcessIdentity {
  readonly host: string;
  /** Within which a pid means anything: a container has one of its own, and may have its host's name. */
  readonly pidSpace: string;
  /** Two turns of one process are two. */
  readonly token: string;
}

/** Tokens of turns that this process has now. */
const going = new Set<string>();

/** A holder of this process, until `forgetHolder`. */
export async function ownHolder(): Promise<TurnHolder> {
  const own = await identifyProcess(process.pid);
  const token = randomUUID();
  going.add(token);
  return {
    pid: process.pid,
    startedAt: own?.startedAt ?? '',
    host: hostname(),
    pidSpace: await pidSpace(),
    token,
  };
}

/** From now on a record of it stands for nothing, also where the store could not be told. */
export function forgetHolder({ token }: TurnHolder): void {
  going.delete(token);
}

/** Only ever true of a turn of this process, or of one that would be seen here; of any other one nobody can tell but by waiting. */
export async function isKnownOver(holder: TurnHolder): Promise<boolean> {
  if (holder.startedAt === '' || holder.host !== hostname() || holder.pidSpace !== (await pidSpace())) return false;
  if (holder.pid === process.pid && (await isRunning(holder))) return !going.has(holder.token);
  return !(await isRunning(holder));
}

/** Where there is no such thing all processes of a host see each other. */
async function pidSpace(): Promise<string> {
  return readlink('/proc/self/ns/pid').catch(() => '');
}
