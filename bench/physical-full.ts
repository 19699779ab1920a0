/**
 * A physical full backup of PostgreSQL into an encrypted repository, and its restore to a server that answers, beside pgBackRest
 * on the same cluster in the same run:
 *
 *   node bench/physical-full.ts [--size-mib 1600] [--runs 3] [--jobs 2]
 *
 * `--s3`: both into one bucket behind TLS instead of folders; see s3-full.ts.
 */
import { chown, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Artifact, Manifest } from '../src/domain/backup.ts';
import type { Operation } from '../src/domain/operation.ts';
import { startGuarded } from '../src/embedded/local-server.ts';
import { temporaryPlace } from '../src/embedded/places.ts';
import { postgresCommand } from '../src/embedded/postgres-server.ts';
import { adoptWorkerMemory } from '../src/embedded/worker-memory.ts';
import { generateKeyring } from '../src/encryption/keyring.ts';
import { ensureSigningKey } from '../src/encryption/signer.ts';
import { freePort } from '../src/platform/ports.ts';
import { unprivilegedUser } from '../src/platform/unprivileged-user.ts';
import { createPhysicalBackup } from '../src/postgres/physical/create-physical.ts';
import type { PhysicalBackup } from '../src/postgres/physical/physical.ts';
import { startScratch } from '../src/postgres/scratch/start-scratch.ts';
import { findServerTools } from '../src/postgres/tools/server-tools.ts';
import { createWal } from '../src/postgres/wal/create-wal.ts';
import { createRepository } from '../src/repository/create-repository.ts';
import type { Codec, Repository } from '../src/repository/repository.ts';
import { createLocalStore } from '../src/storage/local-store.ts';
import { startPostgres, type TestPostgres } from '../test/support/servers.ts';
import { fillPostgres } from './data.ts';
import { report, round, timed, withPeakMemory } from './measure.ts';
import { createPgBackRest, type PgBackRest } from './peers/pgbackrest.ts';
import { startTlsS3 } from './s3-tls.ts';

const MEMORY_BOUND_MIB = 300;
const RATIO_BOUND = 1;
/** The last release that the distribution's pgBackRest knows. */
const MAJOR = 15;
const CODEC: Codec = { compression: 'zstd', compressionLevel: 3, encryption: 'aes-256-gcm' };
const operation: Operation = { signal: new AbortController().signal, onProgress: () => undefined };

adoptWorkerMemory(process.env);
const { values } = parseArgs({
  options: {
    'size-mib': { type: 'string', default: '1600' },
    runs: { type: 'string', default: '3' },
    jobs: { type: 'string', default: '2' },
    'without-peer': { type: 'boolean', default: false },
    s3: { type: 'boolean', default: false },
  },
});
const user = (await unprivilegedUser()) ?? undefined;
const folder = await mkdtemp(join(await temporaryPlace(user), 'lifeboat-bench-'));
if (user !== undefined) await chown(folder, user.uid, user.gid);
const s3 = values.s3 ? await startTlsS3(folder) : undefined;
const peer = await createPgBackRest(folder, s3?.pgBackRest);
const server = await startPostgres({
  major: MAJOR,
  settings: {
    fsync: 'on',
    archive_mode: 'on',
    archive_command: values['without-peer'] ? 'true' : peer.archiveCommand,
    max_wal_size: '4GB',
    shared_buffers: '512MB',
  },
});
try {
  await measure(server, peer);
} finally {
  await server.stop();
  await s3?.stop();
  await rm(folder, { recursive: true, force: true });
}

interface Ours {
  readonly repository: Repository;
  readonly physical: PhysicalBackup;
}

interface Reading {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakRssMib?: number;
}

async function measure(server: TestPostgres, peer: PgBackRest): Promise<void> {
  await fillPostgres(server, 'bench', Number(values['size-mib']));
  const { port, password = '' } = server.target;
  if (!values['without-peer']) {
    await peer.prepare({ dataDir: server.dataDir, port, socketDir: join(server.dataDir, '..'), password });
  }
  await server.query('checkpoint');
  report({ measure: 'cluster', mib: Math.round((await folderBytes(server.dataDir)) / 1_048_576) });
  const tools = await findServerTools(MAJOR, { binDir: server.binDir, path: '', folders: [] });
  const ours: Ours = {
    repository: await createRepository({
      store: s3?.store('lifeboat') ?? createLocalStore({ root: join(folder, 'store') }),
      keyring: await generateKeyring(join(folder, 'keyring.json')),
      signer: await ensureSigningKey(join(folder, 'signing.key')),
      group: 'bench',
      tool: 'lifeboat/bench',
    }),
    physical: createPhysicalBackup({ tools, wal: createWal(), scratchDir: folder }),
  };
  const readings: Record<'ourBackup' | 'peerBackup' | 'ourRestore' | 'peerRestore', Reading[]> = {
    ourBackup: [],
    peerBackup: [],
    ourRestore: [],
    peerRestore: [],
  };
  for (let run = 1; run <= Number(values.runs); run += 1) {
    let manifest: Manifest | undefined;
    readings.ourBackup.push(await reading(async () => void (manifest = await backup(server, ours, run))));
    report({ measure: 'backup', run, ...readings.ourBackup.at(-1) });
    if (!values['without-peer']) {
      readings.peerBackup.push(await reading(async () => peer.backup()));
      report({ measure: 'pgbackrest backup', run, ...readings.peerBackup.at(-1) });
    }
    if (manifest !== undefined) readings.ourRestore.push(await restore(server, ours, manifest));
    report({ measure: 'restore', run, ...readings.ourRestore.at(-1) });
    if (values['without-peer']) continue;
    readings.peerRestore.push(await peerRestore(server, peer));
    report({ measure: 'pgbackrest restore', run, ...readings.peerRestore.at(-1) });
  }
  if (values['without-peer']) return;
  conclude('backup', readings.ourBackup, readings.peerBackup);
  conclude('restore to an accepting server', readings.ourRestore, readings.peerRestore);
}

async function backup(server: TestPostgres, { repository, physical }: Ours, run: number): Promise<Manifest> {
  const createdAt = new Date().toISOString();
  const { backupId } = await repository.beginBackup({ kind: 'full', createdAt, owner: `bench-${run}`, codec: CODEC });
  const attempt = await repository.claimAttempt(backupId, 'postgres');
  const artifacts: Artifact[] = [];
  const sink: Parameters<PhysicalBackup['takeBase']>[1]['sink'] = async (artifact, source) => {
    const request = { backupId, component: 'postgres', attempt, codec: CODEC, ...artifact } as const;
    artifacts.push(await repository.writeArtifact(request, source, operation));
  };
  const base = await physical.takeBase({ target: server.target }, { sink, operation });
  const facts = {
    server: String(MAJOR),
    serverVersion: MAJOR * 10_000,
    method: ['physical'],
    database: 'bench',
    encoding: 'UTF8',
    systemIdentifier: base.systemIdentifier,
    timeline: base.timeline,
    lsn: base.endLsn,
    snapshotAt: base.endAt,
    extensions: [],
    tables: 4,
    databaseBytes: base.bytes,
    base,
  } as const;
  const component = await repository.writeComponent({ backupId, component: 'postgres', attempt, facts, artifacts });
  return repository.publish({
    backupId,
    kind: 'full',
    codec: CODEC,
    label: {},
    holds: [],
    components: [component],
    recoveryPoint: { time: base.endAt, postgres: { timeline: base.timeline, lsn: base.endLsn } },
    createdAt,
    finishedAt: new Date().toISOString(),
    warnings: [],
  });
}

async function restore(server: TestPostgres, { repository, physical }: Ours, manifest: Manifest): Promise<Reading> {
  const directory = join(folder, 'restored', 'data');
  const tools = await findServerTools(MAJOR, { binDir: server.binDir, path: '', folders: [] });
  let stop: () => Promise<void> = async () => undefined;
  const result = await reading(async () => {
    const artifacts = manifest.components.postgres?.artifacts ?? [];
    const source = (name: string) => repository.readArtifact(manifest, 'postgres', name, operation);
    const unpacked = await timed(async () =>
      physical.unpackBase({ directory, artifacts, jobs: Number(values.jobs) }, { source, operation }),
    );
    report({ measure: 'restore: files alone', seconds: unpacked.seconds });
    const scratch = await startScratch(
      { directory, tools, user: 'postgres', database: 'bench', recovery: { target: 'end', action: 'promote' } },
      operation,
    );
    ({ stop } = scratch);
  });
  await stop();
  await rm(join(folder, 'restored'), { recursive: true, force: true });
  return result;
}

async function peerRestore(server: TestPostgres, peer: PgBackRest): Promise<Reading> {
  const place = join(folder, 'peer-restored');
  const directory = join(place, 'data');
  for (const path of [place, directory]) {
    await mkdir(path, { mode: 0o700 });
    if (user !== undefined) await chown(path, user.uid, user.gid);
  }
  const port = await freePort();
  const cluster = { binDir: server.binDir, folder: place, password: server.target.password ?? '', user };
  let stop: () => Promise<unknown> = async () => undefined;
  const result = await reading(async () => {
    const files = await timed(async () => peer.restore(directory));
    report({ measure: 'pgbackrest restore: files alone', seconds: files.seconds });
    const child = await startGuarded(postgresCommand(cluster, port, { fsync: 'off', shared_buffers: '128MB' }));
    stop = async () => child.end();
  });
  await stop();
  await rm(place, { recursive: true, force: true });
  return result;
}

async function reading(work: () => Promise<void>): Promise<Reading> {
  const before = await cpuSeconds();
  const { answer, peakRssMib } = await withPeakMemory(process.pid, () => timed(work));
  return { seconds: answer.seconds, cpuSeconds: round((await cpuSeconds()) - before), peakRssMib };
}

/** Of this process and of the children it has waited for; proc(5). A server's own work is not in it. */
async function cpuSeconds(): Promise<number> {
  const text = await readFile('/proc/self/stat', 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0) / 100;
}

function conclude(measure: string, ours: readonly Reading[], theirs: readonly Reading[]): void {
  const best = (readings: readonly Reading[]): number => Math.min(...readings.map(({ seconds }) => seconds));
  const median = (readings: readonly Reading[]): number =>
    readings.map(({ seconds }) => seconds).toSorted((one, other) => one - other)[Math.floor(readings.length / 2)] ?? 0;
  const peakRssMib = Math.max(...ours.map(({ peakRssMib = 0 }) => peakRssMib));
  const ratio = round(median(ours) / median(theirs));
  report({
    measure,
    seconds: median(ours),
    bestSeconds: best(ours),
    peerSeconds: median(theirs),
    peerBestSeconds: best(theirs),
    ratio,
    bestRatio: round(best(ours) / best(theirs)),
    bound: RATIO_BOUND,
    peakRssMib,
    memoryBoundMib: MEMORY_BOUND_MIB,
    withinBounds: ratio <= RATIO_BOUND && peakRssMib <= MEMORY_BOUND_MIB,
  });
}

async function folderBytes(path: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(path, { withFileTypes: true, recursive: true })) {
    // A server removes files while it runs.
    if (entry.isFile())
      bytes += await stat(join(entry.parentPath, entry.name)).then(
        ({ size }) => size,
        () => 0,
      );
  }
  return bytes;
}
