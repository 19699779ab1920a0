import { formatLsn, type Lsn } from '../../../domain/lsn.ts';
import type { WalPiece } from '../wal.ts';
import type { KnownTime } from './known-time.ts';
import type { PageCheck } from './page-check.ts';

/** Segments up to this size are kept whole in memory; of bigger ones there are pieces only. */
const MAX_BLOCK_BYTES = 64 * 1_048_576;
/** What is kept of a bigger segment. */
const PART_BYTES = 16 * 1_048_576;
/** One that fills while the other is with the consumer. */
const MAX_BUFFERS = 2;

/** A segment, or an aligned part of a big one, that fills. */
interface Block {
  readonly buffer: Buffer;
  readonly start: Lsn;
  filled: number;
  /** Bytes that were given as pieces. */
  given: number;
  /** Bytes whose page headers were looked at. */
  checked: number;
  /** What was known when the block was full: later knowledge is about later bytes. */
  knownMs: number;
}

export interface BlocksRequest {
  readonly timeline: number;
  /** Start of a segment. */
  readonly start: Lsn;
  /** Pieces begin here; whole segments begin at their start all the same. */
  readonly giveFrom: Lsn;
  /** No piece ends before this: on a new timeline the copied past alone says nothing new. */
  readonly giveBeyond: Lsn;
  readonly segmentBytes: number;
  readonly pages: PageCheck;
  readonly known: KnownTime;
}

/** WAL of one timeline between the socket and the consumer, in two buffers. */
export class Blocks {
  readonly #request: BlocksRequest;
  readonly #blockBytes: number;
  readonly #full: Block[] = [];
  readonly #free: Buffer[] = [];
  #buffers = 0;
  #received: Lsn;
  #given: Lsn;
  #current: Block | undefined;
  #held: Block | undefined;

  constructor(request: BlocksRequest) {
    this.#request = request;
    this.#blockBytes = request.segmentBytes > MAX_BLOCK_BYTES ? PART_BYTES : request.segmentBytes;
    this.#received = request.start;
    this.#given = request.giveFrom;
  }

  get received(): Lsn {
    return this.#received;
  }

  /** All before it was given. */
  get given(): Lsn {
    return this.#given;
  }

  /** Copies what there is room for; gives how many bytes that were. */
  append(bytes: Buffer): number {
    let taken = 0;
    while (taken < bytes.length) {
      this.#current ??= this.#nextBlock();
      if (this.#current === undefined) break;
      const copied = bytes.copy(this.#current.buffer, this.#current.filled, taken);
      this.#current.filled += copied;
      taken += copied;
      this.#received += BigInt(copied);
      if (this.#current.filled < this.#blockBytes) continue;
      this.#current.knownMs = this.#request.known.ms;
      this.#full.push(this.#current);
      this.#current = undefined;
    }
    return taken;
  }

  /** The next full block; its bytes stay untouched until `release`. */
  takeFull(fromMs: number): WalPiece | undefined {
    const segment = this.#blockBytes === this.#request.segmentBytes;
    for (let block = this.#full.shift(); block !== undefined; block = this.#full.shift()) {
      this.#held = block;
      if (segment || block.given < block.filled) return this.#give(block, { fromMs, toMs: block.knownMs, segment });
      this.release();
    }
    return undefined;
  }

  /** What came of an unfinished block since the last piece. */
  takePart(fromMs: number): WalPiece | undefined {
    const block = this.#current;
    if (block === undefined || block.filled <= block.given || this.#received < this.#request.giveBeyond)
      return undefined;
    return this.#give(block, { fromMs, toMs: this.#request.known.ms, segment: false });
  }

  /** The consumer is done with what was taken last. */
  release(): void {
    if (this.#held !== undefined) this.#free.push(this.#held.buffer);
    this.#held = undefined;
  }

  #nextBlock(): Block | undefined {
    const buffer = this.#free.pop() ?? this.#makeBuffer();
    if (buffer === undefined) return undefined;
    const start = this.#received;
    const given = Math.min(Math.max(Number(this.#request.giveFrom - start), 0), this.#blockBytes);
    return { buffer, start, filled: 0, given, checked: 0, knownMs: 0 };
  }

  #makeBuffer(): Buffer | undefined {
    if (this.#buffers === MAX_BUFFERS) return undefined;
    this.#buffers += 1;
    return Buffer.allocUnsafeSlow(this.#blockBytes);
  }

  #give(block: Block, facts: Pick<WalPiece, 'fromMs' | 'toMs' | 'segment'>): WalPiece {
    this.#check(block);
    const from = facts.segment ? 0 : block.given;
    block.given = block.filled;
    this.#given = block.start + BigInt(block.filled);
    return {
      event: 'piece',
      timeline: this.#request.timeline,
      from: formatLsn(block.start + BigInt(from)),
      to: formatLsn(this.#given),
      bytes: block.buffer.subarray(from, block.filled),
      ...facts,
    };
  }

  #check(block: Block): void {
    const { pages } = this.#request;
    const from = block.checked - (block.checked % pages.pageBytes);
    pages.check({ bytes: block.buffer.subarray(from, block.filled), start: block.start + BigInt(from) });
    block.checked = block.filled;
  }
}
