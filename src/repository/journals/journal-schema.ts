import { z } from 'zod';
import { CODEC } from '../manifest/manifest-schema.ts';

/** Shapes as in src/domain/journal.ts. Loose: a later version may add fields, and the signature covers them. */
const BYTES = z.number().int().nonnegative();
const MILLISECONDS = z.number();
const SHA256 = z.string().regex(/^[0-9a-f]{64}$/);
const KIND = z.enum(['postgres', 'redis']);

const POSITION = { timeline: z.number().int().nonnegative(), at: z.string() };
export const DURABLE = z.looseObject({ ...POSITION, timeMs: MILLISECONDS });

const ENTRY = z.looseObject({
  key: z.string(),
  storedBytes: BYTES,
  sha256: SHA256,
  plainBytes: BYTES,
  kind: z.enum(['segment', 'piece', 'history', 'chunk']),
  compression: z.enum(['zstd', 'none']),
  timeline: z.number().int().nonnegative(),
  from: z.string(),
  to: z.string(),
  fromMs: MILLISECONDS,
  toMs: MILLISECONDS,
  marks: z.array(z.tuple([z.number(), z.number()])).exactOptional(),
});

const PLACED = z.looseObject({ ...POSITION, history: z.string(), timeMs: MILLISECONDS });
const GAP = z.looseObject({
  kind: KIND,
  from: PLACED.nullable(),
  to: PLACED,
  code: z.string(),
  message: z.string(),
});

const HOME = {
  version: z.literal(1),
  repositoryId: z.string(),
  group: z.string(),
  kind: KIND,
  history: z.string(),
  epoch: z.number().int().positive(),
};

export const BEGIN = z.looseObject({
  ...HOME,
  startedAt: z.string(),
  from: DURABLE,
  continues: z.looseObject({ history: z.string(), epoch: z.number().int() }).nullable(),
  gap: GAP.nullable(),
  attributes: z.record(z.string(), z.string()),
  codec: CODEC,
  keyCheckValue: z.string().nullable(),
});

export const CHAPTER = z.looseObject({
  ...HOME,
  sequence: z.number().int().positive(),
  previousSha256: SHA256,
  sealed: z.boolean(),
  entries: z.array(ENTRY),
  durable: DURABLE,
  stream: z
    .looseObject({ database: z.number().int(), insideMulti: z.boolean(), unfinishedBytes: BYTES })
    .exactOptional(),
  closed: z.string().exactOptional(),
});
