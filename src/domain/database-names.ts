/** PostgreSQL cuts longer names off without a word (NAMEDATALEN - 1). */
const MAX_NAME_BYTES = 63;

/** Name a restore loads into before it goes live: `auth__restoring_<id>`, at most 63 bytes, one per database and id. */
export function asideName(database: string, id: string): string {
  return withSuffix(database, `__restoring_${id}`);
}

/** Name a replaced database is kept under until it expires or comes back: `auth__replaced_<id>`. */
export function replacedName(database: string, id: string): string {
  return withSuffix(database, `__replaced_${id}`);
}

/** Name of a restored database between its undo and its removal; one per replaced database, so a retry finds it. */
export function undoneName(replacedDatabase: string): string {
  return withSuffix(replacedDatabase, `__undone_${digest(replacedDatabase)}`);
}

/**
 * `base + suffix` within the limit. The base gives way first; where that says less than the whole, a digest of the
 * whole stands in for what was cut, so that two long names never meet.
 */
function withSuffix(base: string, suffix: string): string {
  if (utf8Bytes(base + suffix) <= MAX_NAME_BYTES) return base + suffix;
  const mark = `_${digest(base + suffix)}`;
  const room = MAX_NAME_BYTES - utf8Bytes(mark);
  const kept = keepStart(suffix, Math.min(room, MAX_SUFFIX_BYTES));
  return keepStart(base, room - utf8Bytes(kept)) + kept + mark;
}

/** Leaves at least 14 bytes of the base, so that a person still knows the database. */
const MAX_SUFFIX_BYTES = 40;

function keepStart(text: string, maxBytes: number): string {
  let kept = '';
  let bytes = 0;
  for (const character of text) {
    bytes += utf8Bytes(character);
    if (bytes > maxBytes) break;
    kept += character;
  }
  return kept;
}

function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/** FNV-1a, 32 bit, hex. Tells names apart; it protects nothing. */
function digest(text: string): string {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
