import { LifeboatError } from '../../../domain/errors.ts';

export const TAR_BLOCK_BYTES = 512;

/** One entry of a tar archive as PostgreSQL writes it: ustar, names below 100 characters, files and folders. */
export interface TarMember {
  /** Relative path with `/`, without one at the end; checked to stay inside the folder it is unpacked into. */
  readonly name: string;
  readonly folder: boolean;
  readonly sizeBytes: number;
  /** Permission bits. */
  readonly mode: number;
  /** The header as it came. */
  readonly header: Buffer;
}

const FIELDS = { name: [0, 100], mode: [100, 8], size: [124, 12], checksum: [148, 8], prefix: [345, 155] } as const;
const TYPE_AT = 156;
const MAGIC_AT = 257;

/** POSIX.1-1988 ustar; sizes from 8 GiB on in base 256, as GNU tar and tarCreateHeader() in src/port/tar.c write them. */
export function parseTarHeader(header: Buffer): TarMember {
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  if (header.toString('latin1', MAGIC_AT, MAGIC_AT + 5) !== 'ustar' || octal(header, 'checksum') !== sum) {
    throw damaged('no tar header where one should be');
  }
  const prefix = text(header, 'prefix');
  const name = (prefix === '' ? '' : `${prefix}/`) + text(header, 'name');
  const type = String.fromCodePoint(header[TYPE_AT] ?? 0);
  if (!['0', '\0', '5'].includes(type)) throw damaged(`"${name}" is of type "${type}", neither file nor folder`);
  const folder = type === '5';
  return {
    name: requireInside(name),
    folder,
    sizeBytes: folder ? 0 : sizeOf(header),
    mode: octal(header, 'mode') & 0o777,
    header,
  };
}

/** Zero bytes after content of this size. */
export function paddingBytes(sizeBytes: number): number {
  return (TAR_BLOCK_BYTES - (sizeBytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
}

function requireInside(name: string): string {
  // The server writes `./pg_wal/` where it leaves the content of a folder out.
  const path = name.replace(/^\.\//, '').replace(/\/$/, '');
  const leaves = path.split('/').some((part) => part === '' || part === '.' || part === '..');
  if (leaves || path.includes('\\')) throw damaged(`"${name}" is no path inside a folder`);
  return path;
}

function sizeOf(header: Buffer): number {
  const [at, length] = FIELDS.size;
  if (((header[at] ?? 0) & 0x80) === 0) return octal(header, 'size');
  const size = header.readBigUInt64BE(at + length - 8);
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged('a member is longer than any file');
  return Number(size);
}

function octal(header: Buffer, field: keyof typeof FIELDS): number {
  const digits = text(header, field).trim();
  if (!/^[0-7]+$/.test(digits)) throw damaged(`the field ${field} of a tar header is no number`);
  return Number.parseInt(digits, 8);
}

function text(header: Buffer, field: keyof typeof FIELDS): string {
  const [at, length] = FIELDS[field];
  const bytes = header.subarray(at, at + length);
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end === -1 ? length : end);
}

function damaged(what: string): LifeboatError {
  return new LifeboatError('POSTGRES_BASE_DAMAGED', `read a base backup: ${what}`);
}
