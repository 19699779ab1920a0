import { Capture, type PieceSink } from './capture.ts';
import { createCrc64 } from './crc64.ts';
import { endOfShortString, malformed, readLength, STRING_INT32, STRING_LZF } from './encoding.ts';
import { ONE_STRING_TYPES, OPCODE, type Step } from './shapes.ts';

const NOTHING = Buffer.alloc(0);

/** Milliseconds behind the opcode. */
const EXPIRY_BYTES = 8;

interface Frame {
  readonly steps: readonly Step[];
  index: number;
  rounds: number;
}

/** What follows a module opcode (module.c of Redis: EOF, SINT, UINT, FLOAT, DOUBLE, STRING). */
const MODULE_VALUES: Readonly<Record<number, readonly Step[]>> = {
  1: [{ skip: 'length' }],
  2: [{ skip: 'length' }],
  3: [{ skip: 'bytes', count: 4 }],
  4: [{ skip: 'bytes', count: 8 }],
  5: [{ skip: 'string' }],
};

/**
 * Moves through RDB bytes that come in pieces of any size, by the steps of a shape. It can stop between any two bytes:
 * open repetitions lie on a stack, and only the first bytes of a step (a few dozen at most) are ever looked at twice.
 */
export class RdbCursor {
  readonly #crc = createCrc64();
  #summing = true;
  #window: Buffer = NOTHING;
  #position = 0;
  /** Up to here the checksum has taken the window. */
  #summed = 0;
  #skipBytes = 0;
  readonly #frames: Frame[] = [];
  #capturing = false;
  #captureFrom = 0;
  readonly #captured = new Capture();

  /** Takes the next bytes, behind a `leave`; they must stay as they are until the next one. */
  push(bytes: Buffer): void {
    const rest = this.#window;
    this.#window = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
  }

  /** Lets go of the bytes at hand: the few that are not used up, and what is captured of them, are copied. */
  leave(): void {
    if (this.#capturing) this.#captured.add(this.#window.subarray(this.#captureFrom, this.#position));
    this.#sum();
    this.#window = this.atEnd ? NOTHING : Buffer.from(this.#window.subarray(this.#position));
    this.#position = 0;
    this.#summed = 0;
    this.#captureFrom = 0;
  }

  get atEnd(): boolean {
    return this.#position === this.#window.length;
  }

  /** The next byte; undefined when it has not come yet. */
  byte(): number | undefined {
    if (this.atEnd) return undefined;
    this.#position += 1;
    return this.#window[this.#position - 1];
  }

  /**
   * Passes records of keys, each with its expiry if any, whose value is one short string, as long as they lie whole in
   * the bytes at hand. It stands between two records. Most keys are such, and stepping through them took three times as
   * long. Adds to `types` by type and gives their number.
   */
  passShortKeys(types: Float64Array): number {
    const window = this.#window;
    const end = window.length;
    let keys = 0;
    for (;;) {
      let at = this.#position;
      if (window[at] === OPCODE.expireMs) at += 1 + EXPIRY_BYTES;
      const type = window[at];
      if (type === undefined || ONE_STRING_TYPES[type] === 0) return keys;
      const valueAt = endOfShortString(window, at + 1, end);
      const behind = valueAt < 0 ? -1 : endOfShortString(window, valueAt, end);
      if (behind < 0) return keys;
      types[type]! += 1;
      keys += 1;
      this.#position = behind;
    }
  }

  /** Begins with these steps; `run` goes through them, inner ones first. */
  enter(steps: readonly Step[]): void {
    this.#frames.push({ steps, index: 0, rounds: 1 });
  }

  /**
   * From here on bytes are kept, until `captured`.
   *
   * @param choose for one string: who takes it in pieces should it be large; `captured` is empty then
   */
  capture(choose?: (sizeBytes: number) => PieceSink | undefined): void {
    this.#capturing = true;
    this.#captured.reset(choose);
    this.#captureFrom = this.#position;
  }

  /** What was kept, in one buffer however many pieces it came in; a view when it was one. */
  captured(): Buffer {
    this.#capturing = false;
    return this.#captured.take(this.#window.subarray(this.#captureFrom, this.#position));
  }

  /** The checksum covers what was passed up to here and nothing behind it. */
  endChecksum(): void {
    this.#sum();
    this.#summing = false;
  }

  checksumEquals(stored: Buffer): boolean {
    return this.#crc.equals(stored, 0);
  }

  /** Goes through the steps that were entered; true when they are all done, false when bytes are missing. */
  run(): boolean {
    for (;;) {
      if (this.#skipBytes > 0 && !this.#skip()) return false;
      const frame = this.#frames.at(-1);
      if (frame === undefined) return true;
      const step = frame.steps[frame.index];
      if (step !== undefined) {
        if (!this.#step(step)) return false;
      } else {
        frame.rounds -= 1;
        frame.index = 0;
        if (frame.rounds === 0) this.#frames.pop();
      }
    }
  }

  #skip(): boolean {
    const taken = Math.min(this.#skipBytes, this.#window.length - this.#position);
    this.#position += taken;
    this.#skipBytes -= taken;
    return this.#skipBytes === 0;
  }

  /** Takes the first bytes of a step and counts it as done; false, and nothing taken, when they are not all there. */
  #step(step: Step): boolean {
    switch (step.skip) {
      case 'string':
        return this.#string();
      case 'length':
        return this.#length() !== undefined;
      case 'repeat':
        return this.#repeat(step.steps);
      case 'double':
        return this.#double();
      case 'module':
        return this.#module();
      case 'bytes':
      default:
        return this.#done(this.#position, step.count);
    }
  }

  /** The first part of the step ends at `position`; `skipBytes` more belong to it. */
  #done(position: number, skipBytes: number): true {
    if (this.#capturing) this.#captured.expect(position - this.#captureFrom + skipBytes);
    this.#position = position;
    this.#skipBytes = skipBytes;
    this.#frames.at(-1)!.index += 1;
    return true;
  }

  #length(): number | undefined {
    const length = readLength(this.#window, this.#position);
    if (length === undefined) return undefined;
    if (length.encoded) throw malformed('string encoding where a length belongs');
    this.#done(length.end, 0);
    return length.value;
  }

  #repeat(steps: readonly Step[]): boolean {
    const rounds = this.#length();
    if (rounds === undefined) return false;
    if (rounds > 0) this.#frames.push({ steps, index: 0, rounds });
    return true;
  }

  #string(): boolean {
    const length = readLength(this.#window, this.#position);
    if (length === undefined) return false;
    if (!length.encoded) return this.#done(length.end, length.value);
    if (length.value <= STRING_INT32) return this.#done(length.end, 1 << length.value);
    if (length.value !== STRING_LZF) throw malformed(`string encoding ${length.value}`);
    const packed = readLength(this.#window, length.end);
    const unpacked = packed && readLength(this.#window, packed.end);
    return packed !== undefined && unpacked !== undefined && this.#done(unpacked.end, packed.value);
  }

  #double(): boolean {
    if (this.atEnd) return false;
    const length = this.#window[this.#position]!;
    return this.#done(this.#position + 1, length < 253 ? length : 0);
  }

  /** One opcode and its value; the step is not counted as done before opcode 0. */
  #module(): boolean {
    const opcode = this.#length();
    if (opcode === undefined) return false;
    if (opcode === 0) return true;
    const value = MODULE_VALUES[opcode];
    if (value === undefined) throw malformed(`module opcode ${opcode}`);
    this.#frames.at(-1)!.index -= 1;
    this.enter(value);
    return true;
  }

  #sum(): void {
    if (this.#summing) this.#crc.update(this.#window, this.#summed, this.#position);
    this.#summed = this.#position;
  }
}
