/**
 * S3 behind TLS, on a server of this machine: one long stream through the repository, encrypted, and the memory it takes; then a physical
 * full backup into the bucket and its restore from there, beside pgBackRest in the same bucket and run:
 *
 *   node bench/s3-full.ts [--stream-mib 3072] [--size-mib 1600] [--runs 3] [--without-peer]
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Operation } from '../src/domain/operation.ts';
import { adoptWorkerMemory } from '../src/embedded/worker-memory.ts';
import { generateKeyring } from '../src/encryption/keyring.ts';
import { ensureSigningKey } from '../src/encryption/signer.ts';
import { createRepository } from '../src/repository/create-repository.ts';
import { report, round, timed, withPeakMemory } from './measure.ts';
import { startTlsS3, type TlsS3 } from './s3-tls.ts';

const MEMORY_BOUND_MIB = 300;
const MIB = 1_048_576;

adoptWorkerMemory(process.env);
const { values } = parseArgs({
  options: {
    'stream-mib': { type: 'string', default: '3072' },
    'size-mib': { type: 'string', default: '1600' },
    runs: { type: 'string', default: '3' },
    'without-peer': { type: 'boolean', default: false },
  },
});

const folder = await mkdtemp(join(tmpdir(), 'lifeboat-bench-s3-'));
const s3 = await startTlsS3(folder);
try {
  await measureStream(s3, Number(values['stream-mib']));
} finally {
  await s3.stop();
  await rm(folder, { recursive: true, force: true });
}
await measureFull();

/** Bytes that do not compress, so that all of them go over the line. */
async function measureStream(server: TlsS3, mib: number): Promise<void> {
  const repository = await createRepository({
    store: server.store('stream'),
    keyring: await generateKeyring(join(folder, 'keyring.json')),
    signer: await ensureSigningKey(join(folder, 'signing.key')),
    group: 'bench',
    tool: 'lifeboat/bench',
  });
  const codec = { compression: 'zstd', compressionLevel: 3, encryption: 'aes-256-gcm' } as const;
  const createdAt = new Date().toISOString();
  const { backupId } = await repository.beginBackup({ kind: 'full', createdAt, owner: 'bench', codec });
  const attempt = await repository.claimAttempt(backupId, 'postgres');
  const request = { backupId, component: 'postgres', attempt, codec, name: 'dump', format: 'pg-dump-custom' } as const;
  const operation: Operation = { signal: new AbortController().signal, onProgress: () => undefined };
  const { answer, peakRssMib } = await withPeakMemory(process.pid, () =>
    timed(async () => repository.writeArtifact(request, randomStream(mib), operation)),
  );
  report({
    measure: 'one stream into the bucket',
    mib,
    objects: answer.answer.objects.length,
    seconds: answer.seconds,
    mibPerSecond: round(mib / answer.seconds),
    peakRssMib,
    memoryBoundMib: MEMORY_BOUND_MIB,
    withinBounds: peakRssMib <= MEMORY_BOUND_MIB,
  });
}

async function* randomStream(mib: number): AsyncGenerator<Buffer> {
  const block = randomBytes(16 * MIB);
  for (let at = 0; at < mib; at += 1) {
    const chunk = Buffer.from(block.subarray((at % 16) * MIB, ((at % 16) + 1) * MIB));
    // No two chunks are the same, or the compression would find them.
    chunk.writeUInt32LE(at, 0);
    yield chunk;
  }
}

async function measureFull(): Promise<void> {
  const program = join(import.meta.dirname, 'physical-full.ts');
  const args = [program, '--s3', '--size-mib', values['size-mib'], '--runs', values.runs];
  if (values['without-peer']) args.push('--without-peer');
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`physical-full.ts ended with ${String(code)}`);
}
