/**
 * Which RDB a server reads. Redis takes every version up to its own; Valkey takes Redis up to 11 and its own from 80 on,
 * but not 12–79, which belong to later Redis. RESTORE applies the same rule to the version stamped on a payload.
 */
export interface RdbReader {
  readonly product: 'redis' | 'valkey';
  /** RDB version it writes itself. */
  readonly version: number;
}

/** From the newest down: the first server version that writes an RDB version (rdb.h of each release). */
const REDIS_VERSIONS = [
  { since: [8, 6], rdb: 13 },
  { since: [7, 4], rdb: 12 },
  { since: [7, 2], rdb: 11 },
  { since: [7, 0], rdb: 10 },
  { since: [5, 0], rdb: 9 },
  { since: [4, 0], rdb: 8 },
] as const;
const VALKEY_VERSIONS = [
  { since: [9, 0], rdb: 80 },
  { since: [7, 2], rdb: 11 },
] as const;
const VALKEY_FIRST = 80;
const LAST_COMMON = 11;

/** Highest type of values that came with each RDB version. */
const NEWEST_TYPE = [
  { rdb: 12, type: 25 },
  { rdb: 11, type: 21 },
  { rdb: 10, type: 19 },
  { rdb: 0, type: 15 },
] as const;

/** Undefined for a server that is older than any of the table, or does not tell its version. */
export function rdbReaderOf(product: RdbReader['product'], serverVersion: string): RdbReader | undefined {
  const [major = 0, minor = 0] = serverVersion.split('.').map(Number);
  const versions = product === 'valkey' ? VALKEY_VERSIONS : REDIS_VERSIONS;
  const found = versions.find(({ since }) => major > since[0] || (major === since[0] && minor >= since[1]));
  return found && { product, version: found.rdb };
}

/** Can the server load a file of this version as it is? */
export function canLoad(reader: RdbReader, version: number): boolean {
  if (reader.product === 'redis') return version <= reader.version;
  return version <= LAST_COMMON || (version >= VALKEY_FIRST && version <= reader.version);
}

/** The version to stamp on payloads so that the server looks at them at all; whether it knows their types is another matter. */
export function stampFor(reader: RdbReader, version: number): number {
  if (canLoad(reader, version)) return version;
  return Math.min(version, reader.product === 'redis' ? reader.version : LAST_COMMON);
}

/** Types among these that came after the server. */
export function unreadableTypes(reader: RdbReader, types: readonly number[]): readonly number[] {
  const version = Math.min(reader.version, reader.product === 'redis' ? reader.version : LAST_COMMON);
  const newest = NEWEST_TYPE.find(({ rdb }) => version >= rdb)?.type ?? 0;
  return types.filter((type) => type > newest);
}
