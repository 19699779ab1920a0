/** A compressed backup is usually well below this share of the database. */
const SPACE_SHARE = 0.5;
/** Less than this is a full disk, whatever the database. */
const SPACE_FLOOR_BYTES = 64 * 2 ** 20;

/** Bytes that a full backup may need in the store. */
export function spaceNeeded(databaseBytes: number): number {
  return Math.max(SPACE_FLOOR_BYTES, Math.ceil(databaseBytes * SPACE_SHARE));
}
