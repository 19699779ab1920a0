/**
 * Where each record of an RDB file ends, without knowing what it means: a shape is a list of steps, each of which skips
 * something whose size is known from its first bytes. Source: rdbLoadObject and rdbLoadRio of Redis 7.4 (rdb.c).
 */
export type Step =
  /** A string in any encoding. */
  | { readonly skip: 'string' }
  /** A length used as a number. */
  | { readonly skip: 'length' }
  | { readonly skip: 'bytes'; readonly count: number }
  /** A score as text: one length byte, 253–255 stand for NaN and the infinities. */
  | { readonly skip: 'double' }
  /** Opcode and value of a module, until opcode 0. */
  | { readonly skip: 'module' }
  /** A count, then that many times the steps. */
  | { readonly skip: 'repeat'; readonly steps: readonly Step[] };

const string: Step = { skip: 'string' };
const length: Step = { skip: 'length' };
const double: Step = { skip: 'double' };
const bytes = (count: number): Step => ({ skip: 'bytes', count });
const repeat = (...steps: Step[]): Step => ({ skip: 'repeat', steps });

/** `version` 1 to 3 are the types 15, 19 and 21. */
function stream(version: 1 | 2 | 3): readonly Step[] {
  const counters = version >= 2 ? [length, length, length, length, length] : [];
  const entriesRead = version >= 2 ? [length] : [];
  const activeTime = version >= 3 ? [bytes(8)] : [];
  const pending = repeat(bytes(24), length);
  const consumer = repeat(string, bytes(8), ...activeTime, repeat(bytes(16)));
  return [
    repeat(string, string),
    length,
    length,
    length,
    ...counters,
    repeat(string, length, length, ...entriesRead, pending, consumer),
  ];
}

/** Bodies by RDB type; a type that is missing here is refused as RDB_TYPE_UNKNOWN. */
export const VALUE_SHAPES: ReadonlyMap<number, readonly Step[]> = new Map([
  [0, [string]],
  [1, [repeat(string)]],
  [2, [repeat(string)]],
  [3, [repeat(string, double)]],
  [4, [repeat(string, string)]],
  [5, [repeat(string, bytes(8))]],
  [7, [length, { skip: 'module' }]],
  [9, [string]],
  [10, [string]],
  [11, [string]],
  [12, [string]],
  [13, [string]],
  [14, [repeat(string)]],
  [15, stream(1)],
  [16, [string]],
  [17, [string]],
  [18, [repeat(length, string)]],
  [19, stream(2)],
  [20, [string]],
  [21, stream(3)],
  [24, [bytes(8), repeat(length, string, string)]],
  [25, [bytes(8), string]],
]);

export const OPCODE = {
  slotInfo: 244,
  function2: 245,
  moduleAux: 247,
  idle: 248,
  freq: 249,
  aux: 250,
  resizeDb: 251,
  expireMs: 252,
  expireSeconds: 253,
  selectDb: 254,
  eof: 255,
} as const;

export interface OpcodeShape {
  readonly steps: readonly Step[];
  /** Are its bytes needed, or only skipped? */
  readonly captured: boolean;
}

export const OPCODE_SHAPES: ReadonlyMap<number, OpcodeShape> = new Map([
  [OPCODE.slotInfo, { steps: [length, length, length], captured: false }],
  [OPCODE.function2, { steps: [string], captured: true }],
  [OPCODE.moduleAux, { steps: [length, length, length, { skip: 'module' }], captured: false }],
  [OPCODE.idle, { steps: [length], captured: false }],
  [OPCODE.freq, { steps: [bytes(1)], captured: false }],
  [OPCODE.aux, { steps: [string, string], captured: true }],
  [OPCODE.resizeDb, { steps: [length, length], captured: false }],
  [OPCODE.expireMs, { steps: [bytes(8)], captured: true }],
  [OPCODE.expireSeconds, { steps: [bytes(4)], captured: true }],
  [OPCODE.selectDb, { steps: [length], captured: true }],
  [OPCODE.eof, { steps: [bytes(8)], captured: true }],
]);

/** Types whose body is one string, by number: 1 where it is. */
export const ONE_STRING_TYPES: Uint8Array = Uint8Array.from({ length: 256 }, (_, type) => {
  const shape = VALUE_SHAPES.get(type);
  return shape?.length === 1 && shape[0]?.skip === 'string' ? 1 : 0;
});

export const KEY_SHAPE: readonly Step[] = [string];
/** `REDIS0010` or `VALKEY080`. */
export const MAGIC_SHAPE: readonly Step[] = [bytes(9)];
