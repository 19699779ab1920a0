/**
 * Messages inside CopyData of a physical replication stream, both ways.
 * https://www.postgresql.org/docs/current/protocol-replication.html
 */
import type { Lsn } from '../../../domain/lsn.ts';

const WAL_DATA = 0x77; // w
const KEEPALIVE = 0x6b; // k
const STATUS = 0x72; // r

const WAL_DATA_HEADER_BYTES = 25;
const KEEPALIVE_BYTES = 18;
const STATUS_BYTES = 34;

/** The server's clock counts microseconds from 2000-01-01. */
const POSTGRES_EPOCH_MS = Date.UTC(2000, 0, 1);

export type ServerMessage =
  | {
      readonly message: 'wal';
      readonly start: Lsn;
      /** What the server had flushed when it began to put this message together. */
      readonly flushed: Lsn;
      readonly sentMs: number;
      /** A view of a buffer that is used again once the handler returns: copy it. */
      readonly data: Buffer;
    }
  | {
      readonly message: 'keepalive';
      /** What the server has sent, which may be less than it has flushed. */
      readonly sent: Lsn;
      readonly sentMs: number;
      readonly replyRequested: boolean;
    };

/** @returns undefined for a message that the protocol does not have */
export function parseServerMessage(payload: Buffer): ServerMessage | undefined {
  const kind = payload[0];
  if (kind === WAL_DATA && payload.length >= WAL_DATA_HEADER_BYTES) {
    return {
      message: 'wal',
      start: payload.readBigUInt64BE(1),
      flushed: payload.readBigUInt64BE(9),
      sentMs: clockMs(payload.readBigInt64BE(17)),
      data: payload.subarray(WAL_DATA_HEADER_BYTES),
    };
  }
  if (kind !== KEEPALIVE || payload.length < KEEPALIVE_BYTES) return undefined;
  return {
    message: 'keepalive',
    sent: payload.readBigUInt64BE(1),
    sentMs: clockMs(payload.readBigInt64BE(9)),
    replyRequested: payload[17] === 1,
  };
}

/** Standby status update. The same position as written, flushed and applied: there is only one, that of `confirm`. */
export function statusUpdate(status: {
  readonly confirmed: Lsn;
  readonly nowMs: number;
  readonly requestReply: boolean;
}): Buffer {
  const payload = Buffer.alloc(STATUS_BYTES);
  payload[0] = STATUS;
  for (const offset of [1, 9, 17]) payload.writeBigUInt64BE(status.confirmed, offset);
  payload.writeBigInt64BE(BigInt(status.nowMs - POSTGRES_EPOCH_MS) * 1_000n, 25);
  payload[33] = Number(status.requestReply);
  return payload;
}

function clockMs(microseconds: bigint): number {
  return Number(microseconds / 1_000n) + POSTGRES_EPOCH_MS;
}
