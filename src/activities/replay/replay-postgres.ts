import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Artifact, PostgresFacts } from '../../domain/backup.ts';
import type { Operation } from '../../domain/operation.ts';
import type { ReplayedPosition, ReplayPlan } from '../../domain/replay.ts';
import type { AsideResult, PostgresTarget } from '../../postgres/postgres.ts';
import type { Dependencies } from '../dependencies.ts';
import { configured } from '../sources.ts';
import { withReplayed } from './with-replayed.ts';

export interface ReplayAside {
  readonly replay: NonNullable<ReplayPlan['postgres']>;
  /** Name of the folder of this restore, the same for each of its attempts. */
  readonly restoreId: string;
  readonly database: string;
  readonly asideDatabase: string;
}

/**
 * Replays a base to its target in an instance of its own, and takes from there what a backup would have held: the same way
 * into the live server as every restore, with the same proofs.
 */
export async function replayPostgresAside(
  deps: Dependencies,
  request: ReplayAside,
  operation: Operation,
): Promise<AsideResult & { readonly position: ReplayedPosition }> {
  const { replay, restoreId } = request;
  return withReplayed(
    deps,
    { replay, name: `${restoreId}-postgres` },
    {
      operation,
      async use({ target, folder }) {
        const dumped = await dumpToFolder(deps, { target, folder: join(folder, 'dump') }, operation);
        return loadAside(deps, { request, dumped }, operation);
      },
    },
  );
}

interface Dumped {
  readonly facts: PostgresFacts;
  readonly artifacts: readonly Pick<Artifact, 'name' | 'format' | 'attributes'>[];
  readonly folder: string;
}

/** Beside the instance's data directory, which is as readable as this is, and removed with it. */
async function dumpToFolder(
  deps: Dependencies,
  { target, folder }: { readonly target: PostgresTarget; readonly folder: string },
  operation: Operation,
): Promise<Dumped> {
  const { target: _live, physical: _physical, ...options } = configured(deps.settings, 'postgres');
  await mkdir(folder, { mode: 0o700 });
  const artifacts: Dumped['artifacts'][number][] = [];
  const postgres = await deps.postgres();
  const facts = await postgres.dump(
    target,
    { ...options, zstdLevel: QUICK },
    {
      operation,
      async sink(artifact, source) {
        await pipeline(source, createWriteStream(join(folder, artifact.name), { flags: 'wx', mode: 0o600 }), {
          signal: operation.signal,
        });
        artifacts.push(artifact);
      },
    },
  );
  return { facts, artifacts, folder };
}

/** It is read back at once, from the same disk. */
const QUICK = 1;

async function loadAside(
  deps: Dependencies,
  { request, dumped }: { readonly request: ReplayAside; readonly dumped: Dumped },
  operation: Operation,
): Promise<AsideResult> {
  const { target, jobs } = configured(deps.settings, 'postgres');
  const { database, asideDatabase } = request;
  const { facts, artifacts, folder } = dumped;
  const postgres = await deps.postgres();
  const source = (name: string): AsyncIterable<Uint8Array> => createReadStream(join(folder, name));
  return postgres.restoreAside(
    { target, asideDatabase, likeDatabase: database, facts, artifacts, jobs },
    { source, operation },
  );
}
