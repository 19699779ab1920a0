import { identifyServer } from './identify.ts';
import { receiveWal } from './receive/receive-wal.ts';
import { createSlot, dropSlot, readSlot } from './slots.ts';
import type { Wal } from './wal.ts';

/** The physical replication protocol over node-postgres; PostgreSQL 14 and later. It keeps nothing between calls. */
export function createWal(): Wal {
  return { identify: identifyServer, slot: readSlot, createSlot, dropSlot, receive: receiveWal };
}
