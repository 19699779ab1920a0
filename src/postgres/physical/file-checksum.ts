import { createHash } from 'node:crypto';
import { crc32c } from '@node-rs/crc32';

/** Kinds of checksums in a server's backup manifest, in its own words; NONE proves nothing and is refused. */
export const CHECKSUM_KINDS = ['CRC32C', 'SHA224', 'SHA256', 'SHA384', 'SHA512'] as const;
export type ChecksumKind = (typeof CHECKSUM_KINDS)[number];

/**
 * What a new base asks for. It shows damage between the server's disk and ours, as PostgreSQL itself does by default; what is stored has a
 * SHA-256 and a tag against those who would change it. Measured for 1 GiB: 0.18 s of a processor, SHA-256 0.60 s, on both sides.
 */
export const NEW_BASE_CHECKSUM: ChecksumKind = 'CRC32C';

/** Over the bytes of one file. */
export interface FileChecksum {
  update(chunk: Uint8Array): void;
  /** Hex, as the manifest writes it: of a CRC-32C its bytes in memory, the lowest first. */
  digest(): string;
}

export function createFileChecksum(kind: ChecksumKind): FileChecksum {
  if (kind === 'CRC32C') return createCrc32c();
  const hash = createHash(kind.toLowerCase());
  return { update: (chunk) => void hash.update(chunk), digest: () => hash.digest('hex') };
}

function createCrc32c(): FileChecksum {
  let value = 0;
  return {
    update(chunk) {
      value = crc32c(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength), value);
    },
    digest() {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32LE(value);
      return bytes.toString('hex');
    },
  };
}
