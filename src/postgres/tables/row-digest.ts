import { createHash, hash } from 'node:crypto';

const LINE_FEED = 10;
const LANES = 4;

export interface RowDigest {
  /** Adds one row by the MD5 of its line of COPY. */
  add(line: Uint8Array): void;
  addHash(md5: Uint8Array): void;
  readonly rows: number;
  /** Hex; the same for the same rows in any order. */
  value(): string;
}

/** An order-free digest of rows: it tells a row that was changed, lost or doubled. It finds accidents and is no proof against an attacker. */
export function createRowDigest(): RowDigest {
  const lanes = new Uint32Array(LANES);
  let rows = 0;
  const addHash = (md5: Uint8Array): void => {
    const view = new DataView(md5.buffer, md5.byteOffset, md5.byteLength);
    for (let lane = 0; lane < LANES; lane += 1) lanes[lane] = (lanes[lane] ?? 0) + view.getUint32(lane * 4);
    rows += 1;
  };
  return {
    addHash,
    add: (line) => addHash(hash('md5', line, 'buffer')),
    get rows() {
      return rows;
    },
    value: () => Array.from(lanes, (lane) => lane.toString(16).padStart(8, '0')).join(''),
  };
}

/** A line without its line feed. Of one that came in pieces only the beginning is kept. */
export interface Line {
  /** Its first bytes: enough to tell what it is. */
  readonly head: Buffer;
  readonly addTo: (digest: RowDigest) => void;
}

/** Longer statements between rows than this do not occur: a table has at most 1600 columns of 63 bytes. */
const HEAD_BYTES = 512 * 1024;

export interface LineCutter {
  /**
   * Cuts a chunk into lines; `onLine` is told of each when its line feed has come, with the place behind it in this chunk.
   * A row may be a gigabyte long: it is hashed as it passes.
   */
  push(chunk: Buffer, onLine: (line: Line, end: number) => void): void;
  /** Bytes of a line without an end are left. */
  readonly open: boolean;
}

export function createLineCutter(): LineCutter {
  let started: { hasher: ReturnType<typeof createHash>; head: Buffer } | undefined;
  return {
    get open() {
      return started !== undefined;
    },
    push(chunk, onLine) {
      let place = 0;
      for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, place)) {
        const part = chunk.subarray(place, end);
        place = end + 1;
        if (started === undefined) {
          onLine({ head: part, addTo: (digest) => digest.add(part) }, place);
          continue;
        }
        const { hasher, head } = grow(started, part);
        started = undefined;
        onLine({ head, addTo: (digest) => digest.addHash(hasher.digest()) }, place);
      }
      if (place === chunk.length) return;
      started = grow(started ?? { hasher: createHash('md5'), head: Buffer.alloc(0) }, chunk.subarray(place));
    },
  };
}

function grow(
  { hasher, head }: { readonly hasher: ReturnType<typeof createHash>; readonly head: Buffer },
  part: Buffer,
): { hasher: ReturnType<typeof createHash>; head: Buffer } {
  hasher.update(part);
  const room = HEAD_BYTES - head.length;
  return { hasher, head: room <= 0 ? head : Buffer.concat([head, part.subarray(0, room)]) };
}
