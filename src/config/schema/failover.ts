import * as z from 'zod';
import { duration, name, secretUrl, size } from './leaf.ts';

const postgres = z
  .strictObject({
    url: secretUrl().describe('`postgres://user:password@host:port/database?sslmode=…` of the server there'),
    host: z
      .array(z.string().min(1))
      .min(1)
      .describe('Program and first arguments that run `lifeboat-postgres-host` for its data directory, mostly by ssh'),
    hostTimeout: duration().default('2m').describe('Time that each verb of that program may take'),
  })
  .optional();

const redis = z
  .strictObject({ url: secretUrl().describe('`redis://user:password@host:port` of the server there') })
  .optional();

/** Two regions between which a plan changes the roles of the servers. */
export const failoverSection = z
  .strictObject({
    authority: name()
      .optional()
      .describe('One of `stores`, in neither region: it holds the record of who may be primary'),
    regions: z
      .record(name(), z.strictObject({ postgres, redis }))
      .refine((regions) => [0, 2].includes(Object.keys(regions).length), 'expected two regions')
      .refine(
        (regions) =>
          Object.values(regions).every((region) => region.postgres !== undefined || region.redis !== undefined),
        'expected postgres or redis in each region',
      )
      .refine((regions) => new Set(Object.values(regions).map(kindsOf)).size <= 1, 'expected the same in both regions')
      .default({})
      .describe('The two regions by name, with the server of each'),
    maxLag: size().prefault('16MiB').describe('A standby that is further behind is not switched to'),
    minFree: size()
      .prefault('1GiB')
      .describe('Room that the disk of a standby must have; one that has less is not switched to'),
    maxSilence: duration()
      .default('35s')
      .describe(
        'Silence of a sender that counts as a broken line; more than half of `wal_receiver_timeout`, after which the standby of an idle primary asks',
      ),
    timeout: duration().default('1m').describe('Time that catching up, a promotion and a hand-over may take each'),
  })
  .refine(
    ({ authority, regions }) => authority !== undefined || Object.keys(regions).length === 0,
    'expected authority beside regions',
  )
  .prefault({});

function kindsOf(region: { readonly postgres?: unknown; readonly redis?: unknown }): string {
  return `${region.postgres !== undefined},${region.redis !== undefined}`;
}
