import { z } from 'zod';
import { describeAuthority, isSameAuthority, type Authority } from '../domain/failover/authority.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { ObjectStore } from '../storage/object-store.ts';

export interface TakeAuthority {
  readonly service: string;
  readonly region: string;
  readonly holder: string;
  /** Epoch that the taker has seen; 0 where there was none. Whoever saw an older one loses. */
  readonly after: number;
}

/**
 * The authority over services, in a store with conditional writes. Of those that take it at once after the same epoch one gets it.
 * Service names are made of `[A-Za-z0-9._-]`.
 */
export interface Authorities {
  /** undefined before anybody took it. @throws LifeboatError FAILOVER_EPOCH_DAMAGED, STORE_* */
  read(service: string): Promise<Authority | undefined>;
  /** Safe to repeat: who has it already gets it again. @throws LifeboatError FAILOVER_EPOCH_TAKEN, FAILOVER_EPOCH_DAMAGED, STORE_* */
  take(request: TakeAuthority): Promise<Authority>;
  /** @throws LifeboatError FAILOVER_EPOCH_STALE, naming who holds it now; STORE_* where that cannot be asked */
  confirm(authority: Authority): Promise<void>;
}

/** What every act that changes something is given; `require` is asked immediately before the change. */
export interface Mandate {
  readonly epoch: number;
  /** `doing` leads the message. @throws LifeboatError FAILOVER_EPOCH_STALE */
  require(doing: string): Promise<void>;
}

const RECORD = z.strictObject({
  format: z.literal(1),
  service: z.string().min(1),
  epoch: z.int().positive(),
  region: z.string().min(1),
  holder: z.string().min(1),
  since: z.iso.datetime(),
});

/** More is not a record of ours, and is not read. */
const RECORD_MAX_BYTES = 16_384;

export function createAuthorities({ store, now }: { readonly store: ObjectStore; now(): Date }): Authorities {
  const read = async (service: string): Promise<Authority | undefined> => (await look(store, service)).authority;
  return {
    read,

    async take({ service, region, holder, after }) {
      const { authority: present, version } = await look(store, service);
      const wanted: Authority = { service, epoch: after + 1, region, holder, since: now().toISOString() };
      if (present !== undefined && isSameAuthority(present, wanted)) return present;
      if ((present?.epoch ?? 0) !== after) throw taken(wanted, present);
      try {
        await store.put(
          keyOf(service),
          encode(wanted),
          version === undefined ? { ifNoneMatch: true } : { ifMatch: version },
        );
        return wanted;
      } catch (error) {
        if (!isLostRace(error)) throw error;
      }
      // A store that repeats a request by itself may refuse the second of two that are ours.
      const winner = await read(service);
      if (winner !== undefined && isSameAuthority(winner, wanted)) return winner;
      throw taken(wanted, winner);
    },

    async confirm(authority) {
      const present = await read(authority.service);
      if (present !== undefined && isSameAuthority(present, authority)) return;
      const now = present === undefined ? 'there is none any more' : describeAuthority(present);
      throw new LifeboatError(
        'FAILOVER_EPOCH_STALE',
        `act for ${authority.service} under epoch ${authority.epoch}: ${now}`,
        {
          details: { service: authority.service, epoch: authority.epoch, presentEpoch: present?.epoch ?? null },
        },
      );
    },
  };
}

/** Binds an authority to the acts that are done under it. */
export function createMandate(authorities: Authorities, authority: Authority): Mandate {
  return {
    epoch: authority.epoch,
    async require(doing) {
      await authorities.confirm(authority).catch((error: unknown) => {
        if (!(error instanceof LifeboatError) || error.code !== 'FAILOVER_EPOCH_STALE') throw error;
        throw new LifeboatError(error.code, `${doing}: ${error.message}`, { cause: error, details: error.details });
      });
    },
  };
}

/** The version is read first: a record that is replaced in between makes the conditional write fail, and never succeed. */
async function look(
  store: ObjectStore,
  service: string,
): Promise<{ readonly authority?: Authority; readonly version?: string }> {
  const key = keyOf(service);
  const head = await store.head(key);
  if (head === undefined) return {};
  if (head.sizeBytes > RECORD_MAX_BYTES) throw damaged(store, key, `${head.sizeBytes} bytes`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await store.get(key)) as AsyncIterable<Uint8Array>) chunks.push(chunk);
  const authority = decode(store, key, Buffer.concat(chunks).toString('utf8'));
  if (authority.service !== service) throw damaged(store, key, `it is about ${authority.service}`);
  return { authority, ...(head.version === undefined ? {} : { version: head.version }) };
}

function decode(store: ObjectStore, key: string, text: string): Authority {
  try {
    const { format: _, ...authority } = RECORD.parse(JSON.parse(text));
    return authority;
  } catch (error) {
    throw damaged(store, key, 'it is no record of an authority', error);
  }
}

function encode(authority: Authority): Uint8Array {
  return Buffer.from(`${JSON.stringify({ format: 1, ...authority })}\n`, 'utf8');
}

function keyOf(service: string): string {
  return `failover/${service}/authority.json`;
}

function isLostRace(error: unknown): boolean {
  return error instanceof LifeboatError && ['STORE_KEY_EXISTS', 'STORE_KEY_CHANGED'].includes(error.code);
}

function taken(wanted: Authority, present: Authority | undefined): LifeboatError {
  const found = present === undefined ? 'nobody holds one' : describeAuthority(present);
  const doing = `take the authority over ${wanted.service} as epoch ${wanted.epoch} for ${wanted.region}`;
  return new LifeboatError('FAILOVER_EPOCH_TAKEN', `${doing}: ${found}`, {
    details: { service: wanted.service, epoch: wanted.epoch, presentEpoch: present?.epoch ?? null },
  });
}

function damaged(store: ObjectStore, key: string, what: string, cause?: unknown): LifeboatError {
  return new LifeboatError('FAILOVER_EPOCH_DAMAGED', `read ${key} in ${store.url}: ${what}`, { cause });
}
