import { Transform, type TransformCallback } from 'node:stream';

/** Lets bytes through at a rate. */
export class Throttle extends Transform {
  readonly #bytesPerSecond: number;

  constructor(bytesPerSecond: number) {
    super();
    this.#bytesPerSecond = bytesPerSecond;
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    setTimeout(() => done(null, chunk), (chunk.length / this.#bytesPerSecond) * 1_000);
  }
}
