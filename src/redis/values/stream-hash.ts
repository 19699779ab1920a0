import type { CanonicalHasher } from './canonical-hasher.ts';
import type { StreamEntry, StreamId } from './types/stream-entries.ts';
import { type StreamGroup, visitStream } from './types/stream.ts';

/** Marks between parts whose number is not known before their end. */
const END = 0;
const ENTRY = 1;
const GROUP = 2;

/** The canonical form of a stream: entries, groups with what is pending, counters, all in their order. */
export function addStream(hasher: CanonicalHasher, type: number, body: Buffer): void {
  const facts = visitStream(type, body, {
    entry: (entry) => addStreamEntry(hasher, entry),
    group: (group) => addGroup(hasher, group),
  });
  hasher.byte(END);
  hasher.unsigned64(facts.length);
  addId(hasher, facts.lastId);
  addId(hasher, facts.maxDeletedId);
  hasher.unsigned64(facts.entriesAdded);
}

function addStreamEntry(hasher: CanonicalHasher, { id, fields }: StreamEntry): void {
  hasher.byte(ENTRY);
  addId(hasher, id);
  hasher.varint(fields.length);
  for (const part of fields) hasher.bytes(part);
}

function addGroup(hasher: CanonicalHasher, group: StreamGroup): void {
  hasher.byte(GROUP);
  hasher.bytes(group.name);
  addId(hasher, group.lastId);
  hasher.unsigned64(group.entriesRead);
  hasher.varint(group.pending.length);
  for (const { id, deliveredAtMs, deliveries } of group.pending) {
    hasher.raw(id);
    hasher.varint(deliveredAtMs);
    hasher.varint(deliveries);
  }
  hasher.varint(group.consumers.length);
  for (const { name, pending } of group.consumers) {
    hasher.bytes(name);
    hasher.varint(pending.length);
    for (const id of pending) hasher.raw(id);
  }
}

function addId(hasher: CanonicalHasher, { ms, sequence }: StreamId): void {
  hasher.unsigned64(ms);
  hasher.unsigned64(sequence);
}
