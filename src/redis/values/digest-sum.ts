const LANES = 8;
/** Lanes are doubles: 2^20 numbers below 2^32 stay exact before a carry is needed. */
const CARRY_AFTER = 2 ** 20;
const LANE_MODULUS = 2 ** 32;

/** Adds SHA-256 digests as numbers modulo 2^256: the sum does not depend on their order. Tells accidents, not forgeries. */
export class DigestSum {
  readonly #lanes = new Float64Array(LANES);
  #pending = 0;
  /** How many were added. */
  count = 0;

  /** Adds 32 bytes, given as a latin1 string. */
  add(digest: string): void {
    for (let lane = 0; lane < LANES; lane += 1) {
      const at = lane * 4;
      const low = digest.charCodeAt(at) | (digest.charCodeAt(at + 1) << 8) | (digest.charCodeAt(at + 2) << 16);
      this.#lanes[lane]! += low + digest.charCodeAt(at + 3) * 2 ** 24;
    }
    this.count += 1;
    this.#pending += 1;
    if (this.#pending === CARRY_AFTER) this.#carry();
  }

  /** The sum, 32 bytes little-endian. */
  bytes(): Buffer {
    this.#carry();
    const out = Buffer.allocUnsafe(LANES * 4);
    for (let lane = 0; lane < LANES; lane += 1) out.writeUInt32LE(this.#lanes[lane]!, lane * 4);
    return out;
  }

  equals(other: DigestSum): boolean {
    if (this.count !== other.count) return false;
    this.#carry();
    other.#carry();
    return this.#lanes.every((lane, index) => lane === other.#lanes[index]);
  }

  reset(): void {
    this.#lanes.fill(0);
    this.#pending = 0;
    this.count = 0;
  }

  #carry(): void {
    let carry = 0;
    for (let lane = 0; lane < LANES; lane += 1) {
      const sum = this.#lanes[lane]! + carry;
      carry = Math.floor(sum / LANE_MODULUS);
      this.#lanes[lane] = sum % LANE_MODULUS;
    }
    this.#pending = 0;
  }
}
