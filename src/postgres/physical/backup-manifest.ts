import { createHash } from 'node:crypto';
import { z } from 'zod';
import { LifeboatError } from '../../domain/errors.ts';
import { CHECKSUM_KINDS, type ChecksumKind } from './file-checksum.ts';

/** What a server recorded of a base backup: backup_manifest, https://www.postgresql.org/docs/current/backup-manifest-format.html */
export interface BackupManifest {
  /** By path. Nothing of pg_wal is among them, and not the manifest itself. */
  readonly files: ReadonlyMap<string, ManifestFile>;
  readonly timeline: number;
  readonly startLsn: string;
  readonly endLsn: string;
}

export interface ManifestFile {
  readonly sizeBytes: number;
  readonly checksumKind: ChecksumKind;
  /** Hex. */
  readonly checksum: string;
}

const MANIFEST = z.object({
  'PostgreSQL-Backup-Manifest-Version': z.union([z.literal(1), z.literal(2)]),
  Files: z.array(
    z.object({
      Path: z.string().optional(),
      'Encoded-Path': z.string().optional(),
      Size: z.int().nonnegative(),
      // Without them stand the files of pg_wal in the manifest that pg_combinebackup writes.
      'Checksum-Algorithm': z.enum(CHECKSUM_KINDS).optional(),
      Checksum: z.string().optional(),
    }),
  ),
  'WAL-Ranges': z
    .array(z.object({ Timeline: z.int().positive(), 'Start-LSN': z.string(), 'End-LSN': z.string() }))
    .min(1),
  'Manifest-Checksum': z.string(),
});

/** A manifest names each file in about 200 bytes: room for more than a million files. */
const MAX_BYTES = 256 * 1024 * 1024;

/** @throws LifeboatError POSTGRES_BASE_DAMAGED where it is longer than any manifest */
export async function readManifestBytes(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw damaged(`longer than ${MAX_BYTES} bytes`);
    parts.push(Buffer.from(chunk));
  }
  return Buffer.concat(parts);
}

/**
 * @throws LifeboatError POSTGRES_BASE_DAMAGED where it is not what the server wrote, by its own checksum;
 * POSTGRES_BASE_TIMELINE_CHANGED where the server went to another timeline meanwhile
 */
export function parseBackupManifest(bytes: Buffer): BackupManifest {
  const parsed = MANIFEST.safeParse(parseJson(bytes));
  if (!parsed.success) throw damaged(z.prettifyError(parsed.error));
  const { Files: files, 'WAL-Ranges': ranges, 'Manifest-Checksum': checksum } = parsed.data;
  if (checksum !== checksumOf(bytes)) throw damaged('its own checksum is another');
  const [range, other] = ranges;
  if (range === undefined || other !== undefined) {
    const timelines = ranges.map(({ Timeline: timeline }) => timeline).join(', ');
    throw new LifeboatError(
      'POSTGRES_BASE_TIMELINE_CHANGED',
      `take a base backup: it runs over timelines ${timelines}`,
    );
  }
  return {
    files: new Map(
      files.filter((file) => !pathOf(file).startsWith('pg_wal/')).map((file) => [pathOf(file), factsOf(file)]),
    ),
    timeline: range.Timeline,
    startLsn: range['Start-LSN'],
    endLsn: range['End-LSN'],
  };
}

/** The kind that a manifest's files have; bases of one chain share it, so that what is only copied keeps the server's own. */
export function checksumKindOf({ files }: BackupManifest): ChecksumKind {
  for (const { checksumKind } of files.values()) return checksumKind;
  throw damaged('it names no file');
}

type RawFile = z.infer<typeof MANIFEST>['Files'][number];

/** A name that is no UTF-8 stands there in hex. */
function pathOf(file: RawFile): string {
  return file.Path ?? Buffer.from(file['Encoded-Path'] ?? '', 'hex').toString('utf8');
}

function factsOf(file: RawFile): ManifestFile {
  const { 'Checksum-Algorithm': checksumKind, Checksum: checksum, Size: sizeBytes } = file;
  if (checksumKind === undefined || checksum === undefined) throw damaged(`${pathOf(file)} has no checksum`);
  return { sizeBytes, checksumKind, checksum: checksum.toLowerCase() };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw damaged('no JSON', cause);
  }
}

/** SHA-256 of all lines but the last, which holds it. */
function checksumOf(bytes: Buffer): string {
  const lastLineAt = bytes.lastIndexOf(0x0a, bytes.length - 2) + 1;
  return createHash('sha256').update(bytes.subarray(0, lastLineAt)).digest('hex');
}

function damaged(what: string, cause?: unknown): LifeboatError {
  return new LifeboatError('POSTGRES_BASE_DAMAGED', `read the server's backup manifest: ${what}`, { cause });
}
