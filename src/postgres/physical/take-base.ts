import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { BaseBackupFacts } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { readGated, spawnChild, type ChildExit } from '../../platform/child-process.ts';
import { createSessionName, endSessions } from '../connection/server-sessions.ts';
import { withSession, type Session } from '../connection/session.ts';
import { createMeter } from '../meter.ts';
import type { PostgresTarget } from '../postgres.ts';
import { toolEnvironment, writePassfile } from '../tools/tool-environment.ts';
import { checksumKindOf, parseBackupManifest, readManifestBytes } from './backup-manifest.ts';
import { cutBase, type CutResult } from './cut-base.ts';
import { NEW_BASE_CHECKSUM, type ChecksumKind } from './file-checksum.ts';
import type { BaseSink, PhysicalSurvey, PostgresServerTools, TakeBase } from './physical.ts';

export interface TakeBaseContext {
  readonly sink: BaseSink;
  readonly operation: Operation;
  readonly tools: PostgresServerTools;
  readonly survey: PhysicalSurvey;
  /** Private, for a passfile and the parent's manifest. */
  readonly folder: string;
}

/** Small enough that two or more are unpacked at once from a small cluster, big enough to be few files in a store. */
const PIECE_BYTES = 96 * 1024 * 1024;

/**
 * See PhysicalBackup.takeBase. A temporary slot in a session of ours keeps the WAL from before the start of the copy: it
 * cannot be left behind, because the server drops it with the session, whatever happens to us. pg_basebackup then sends
 * that WAL behind the files (`--wal-method=fetch`), and the server checks that there is no hole in it. Without WAL
 * (`none`) the server would wait for its own archiving, for ever where archiving does not work.
 */
export async function takeBase(request: TakeBase, context: TakeBaseContext): Promise<BaseBackupFacts> {
  const { target } = request;
  const applicationName = createSessionName('base');
  const { signal } = context.operation;
  try {
    return await withSession(target, { doing: 'take a base backup', signal, applicationName }, async (session) => {
      await session.query('SELECT pg_create_physical_replication_slot($1, true, true)', [slotName()]);
      return copyCluster({ request, context, session, applicationName });
    });
  } catch (error) {
    await endSessions(target, applicationName);
    throw error;
  }
}

const slotName = (): string => `lifeboat_base_${randomBytes(6).toString('hex')}`;

interface Copy {
  readonly request: TakeBase;
  readonly context: TakeBaseContext;
  readonly session: Session;
  readonly applicationName: string;
}

async function copyCluster(copy: Copy): Promise<BaseBackupFacts> {
  const { request, context, session } = copy;
  const { operation, survey, sink } = context;
  const meter = createMeter(operation, { totalBytes: survey.clusterBytes });
  meter.enter('waiting for a checkpoint');
  const parent = await keepParent(request, context.folder);
  const startAt = await clock(session);
  let endAt = startAt;
  const stopped = new AbortController();
  const signal = AbortSignal.any([operation.signal, stopped.signal]);
  const child = await startBasebackup(copy, signal, parent);
  meter.enter('copying the data directory');
  try {
    const cut = await cutBase(
      meter.count(child, () => 'data directory'),
      {
        pieceBytes: request.pieceBytes ?? PIECE_BYTES,
        sink,
        onWal: async () => {
          endAt = await clock(session);
        },
        stop: (reason) => stopped.abort(reason),
      },
    );
    return summarise(cut, { survey, startAt, endAt, parentStartLsn: parent?.startLsn ?? null });
  } finally {
    await child.return();
  }
}

function summarise(
  cut: CutResult,
  facts: Pick<BaseBackupFacts, 'startAt' | 'endAt' | 'parentStartLsn'> & { readonly survey: PhysicalSurvey },
): BaseBackupFacts {
  const { timeline, startLsn, endLsn } = parseBackupManifest(cut.manifest);
  return {
    systemIdentifier: cut.systemIdentifier,
    timeline,
    startLsn,
    endLsn,
    startAt: facts.startAt,
    endAt: facts.endAt,
    walSegmentBytes: cut.walSegmentBytes,
    fromStandby: facts.survey.inRecovery,
    parentStartLsn: facts.parentStartLsn,
    dataChecksums: facts.survey.dataChecksums,
    bytes: cut.bytes,
  };
}

async function clock(session: Session): Promise<string> {
  return (await session.one<{ at: Date }>('SELECT clock_timestamp() AS at')).at.toISOString();
}

async function startBasebackup(
  { request, context, applicationName }: Copy,
  signal: AbortSignal,
  parent: KeptParent | undefined,
): Promise<AsyncGenerator<Uint8Array, void, undefined>> {
  const { target } = request;
  const command = context.tools.pgBasebackup;
  const passfile = await writePassfile(context.folder, target.password);
  const args = [
    '--pgdata=-',
    '--format=tar',
    '--wal-method=fetch',
    '--checkpoint=fast',
    `--manifest-checksums=${parent?.checksumKind ?? NEW_BASE_CHECKSUM}`,
    '--no-password',
    ...(parent === undefined ? [] : [`--incremental=${parent.path}`]),
  ];
  const env = toolEnvironment({ target, passfile, applicationName }, command);
  const child = spawnChild({ name: 'pg_basebackup', command, args, env, signal });
  return readGated(child, (exit) => baseError(target, exit));
}

function baseError(target: PostgresTarget, exit: ChildExit): LifeboatError {
  const how = exit.signal === null ? `exit ${exit.code}` : `ended by ${exit.signal}`;
  const place = `${target.host}:${target.port}`;
  return new LifeboatError(
    'POSTGRES_BASE_FAILED',
    `take a base backup of ${place}: pg_basebackup: ${how}: ${exit.stderrTail}`,
    {
      details: { exitCode: exit.code, signal: exit.signal },
    },
  );
}

interface KeptParent {
  readonly path: string;
  readonly startLsn: string;
  readonly checksumKind: ChecksumKind;
}

/** The manifest as a file, for pg_basebackup to send to the server. */
async function keepParent({ parentManifest }: TakeBase, folder: string): Promise<KeptParent | undefined> {
  if (parentManifest === undefined) return undefined;
  const bytes = await readManifestBytes(parentManifest());
  const path = join(folder, 'parent-manifest');
  await pipeline([bytes], createWriteStream(path, { mode: 0o600 }));
  const manifest = parseBackupManifest(bytes);
  return { path, startLsn: manifest.startLsn, checksumKind: checksumKindOf(manifest) };
}
