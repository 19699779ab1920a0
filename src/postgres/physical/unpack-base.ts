import type { Check } from '../../domain/backup.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Operation } from '../../domain/operation.ts';
import { createMeter, type Meter } from '../meter.ts';
import { runAll, type Task } from '../run-all.ts';
import { parseBackupManifest, readManifestBytes, type BackupManifest } from './backup-manifest.ts';
import { createDataDirectory, type DataDirectory, type FileFacts } from './data-directory.ts';
import { createFileChecksum, type ChecksumKind } from './file-checksum.ts';
import type { UnpackBase } from './physical.ts';
import { createTarReader } from './tar/read-tar.ts';
import type { TarMember } from './tar/tar-header.ts';
import { unpackWal } from './unpack-wal.ts';

export interface UnpackContext {
  readonly source: (name: string) => AsyncIterable<Uint8Array>;
  readonly operation: Operation;
}

interface Run {
  readonly context: UnpackContext;
  readonly manifest: BackupManifest;
  readonly directory: DataDirectory;
  readonly meter: Meter;
  /** Files of the manifest that were written and are what it says. */
  readonly found: Set<string>;
  /** Written last, so that a directory of an unfinished restore cannot be started. */
  controlFile: { readonly bytes: Buffer; readonly mode: number } | undefined;
}

const CONTROL_FILE = 'global/pg_control';
const NAMED_AT_MOST = 5;

/** See PhysicalBackup.unpackBase. */
export async function unpackBase(
  request: UnpackBase,
  context: UnpackContext,
): Promise<{ readonly bytes: number; readonly checks: readonly Check[] }> {
  const { signal } = context.operation;
  const manifestBytes = await readManifestBytes(context.source(nameOf(request, 'postgres-backup-manifest')));
  const manifest = parseBackupManifest(manifestBytes);
  const directory = await createDataDirectory(request.directory);
  const totalBytes = [...manifest.files.values()].reduce((sum, file) => sum + file.sizeBytes, 0);
  const meter = createMeter(context.operation, { totalBytes });
  const run: Run = { context, manifest, directory, meter, found: new Set(), controlFile: undefined };

  meter.enter('unpacking');
  await runAll(tasksOf(run, request), { jobs: request.jobs, signal });
  const control = requireAllFiles(run);
  await directory.writeFile({ name: 'backup_manifest', mode: 0o600, content: once(manifestBytes) });
  meter.enter('writing to disk');
  await directory.sync(signal);
  await directory.writeFile({ name: CONTROL_FILE, mode: control.mode, content: once(control.bytes) });
  await directory.sync(signal);
  return { bytes: directory.bytes, checks: [filesCheck(manifest, run.found), walCheck(manifest)] };
}

function tasksOf(run: Run, request: UnpackBase): Task[] {
  const wal: Task = (signal) => unpackWal(run.directory, walOf(run, request), signal);
  const pieces = request.artifacts
    .filter(({ format }) => format === 'postgres-base-tar')
    .toSorted((one, other) => (other.plainBytes ?? 0) - (one.plainBytes ?? 0));
  return [
    wal,
    ...pieces.map(
      ({ name }): Task =>
        (signal) =>
          unpackPiece(run, name, signal),
    ),
  ];
}

function walOf({ context, manifest, meter }: Run, request: UnpackBase): Parameters<typeof unpackWal>[1] {
  const name = nameOf(request, 'postgres-wal');
  const attributes = request.artifacts.find((artifact) => artifact.name === name)?.attributes ?? {};
  return { manifest, attributes, source: meter.count(context.source(name), () => 'wal') };
}

function nameOf({ artifacts }: UnpackBase, format: 'postgres-backup-manifest' | 'postgres-wal'): string {
  const found = artifacts.find((artifact) => artifact.format === format);
  if (found !== undefined) return found.name;
  throw damaged(`no artifact of the format ${format}`);
}

async function unpackPiece(run: Run, artifact: string, signal: AbortSignal): Promise<void> {
  let object = artifact;
  const reader = createTarReader(run.meter.count(run.context.source(artifact), () => object));
  try {
    for (let member = await reader.peek(); member !== undefined; member = await reader.peek()) {
      signal.throwIfAborted();
      object = member.name;
      if (member.folder) {
        await run.directory.makeFolder(member.name, member.mode);
        await readManifestBytes(reader.content());
      } else {
        await unpackFile(run, member, untilAborted(reader.content(), signal));
      }
    }
    await reader.drain();
  } finally {
    await reader.close();
  }
}

async function unpackFile(run: Run, member: TarMember, content: AsyncIterable<Uint8Array>): Promise<void> {
  const { directory, manifest, found } = run;
  const { name, mode } = member;
  const expected = manifest.files.get(name);
  if (expected === undefined) {
    // Timeline history files come with the WAL, which the manifest does not list.
    if (!/^pg_wal\/[0-9A-F]{8}\.history$/.test(name)) throw damaged(`${name} is in no manifest of the server`);
    await directory.writeFile({ name, mode, content });
    return;
  }
  const bytes = name === CONTROL_FILE ? await readManifestBytes(content) : undefined;
  if (bytes !== undefined) run.controlFile = { bytes, mode };
  const facts =
    bytes === undefined
      ? await directory.writeFile({
          name,
          mode,
          content,
          checksumKind: expected.checksumKind,
          sizeBytes: member.sizeBytes,
        })
      : factsOf(bytes, expected.checksumKind);
  if (facts.sizeBytes !== expected.sizeBytes) {
    throw damaged(`${name} has ${facts.sizeBytes} bytes, not the ${expected.sizeBytes} of the manifest`);
  }
  if (facts.checksum !== expected.checksum) {
    throw damaged(`${name} has the checksum ${facts.checksum}, not the ${expected.checksum} of the manifest`);
  }
  if (found.has(name)) throw damaged(`${name} is there twice`);
  found.add(name);
}

function factsOf(bytes: Buffer, kind: ChecksumKind): FileFacts {
  const checksum = createFileChecksum(kind);
  checksum.update(bytes);
  return { sizeBytes: bytes.length, checksum: checksum.digest() };
}

async function* untilAborted(
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of content) {
    signal.throwIfAborted();
    yield chunk;
  }
}

function requireAllFiles({ manifest, found, controlFile }: Run): NonNullable<Run['controlFile']> {
  const missing = [...manifest.files.keys()].filter((name) => !found.has(name));
  if (missing.length === 0 && controlFile !== undefined) return controlFile;
  const named = missing.slice(0, NAMED_AT_MOST).join(', ');
  const more = missing.length > NAMED_AT_MOST ? ` and ${missing.length - NAMED_AT_MOST} others` : '';
  throw new LifeboatError('POSTGRES_BASE_DAMAGED', `unpack a base backup: missing: ${named}${more}`, {
    details: { missing: missing.length },
  });
}

function filesCheck(manifest: BackupManifest, found: ReadonlySet<string>): Check {
  return {
    name: 'base files',
    status: 'pass',
    expected: `${manifest.files.size} files`,
    actual: `${found.size} files`,
    message: "every file has the size and the checksum of the server's backup manifest",
  };
}

function walCheck({ timeline, startLsn, endLsn }: BackupManifest): Check {
  const range = `${startLsn} to ${endLsn} on timeline ${timeline}`;
  return { name: 'base wal', status: 'pass', expected: range, actual: range, message: 'all WAL of the base is there' };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

function damaged(what: string): LifeboatError {
  return new LifeboatError('POSTGRES_BASE_DAMAGED', `unpack a base backup: ${what}`);
}
