import * as z from 'zod';
import { ALERT_KIND_NAMES } from '../../domain/alerts/alert-kinds.ts';
import { durationMs } from '../../domain/duration.ts';
import { count, duration, size } from './leaf.ts';

/** A look takes a second or so; more often than this it would only be in the way. */
const SHORTEST_MS = 1_000;

/** What is looked for, how often, and when it is told again. */
export const alertsSection = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Look for alerts; channels are those of `notifications`'),
    evaluateEvery: duration()
      .refine((text) => durationMs(text) >= SHORTEST_MS, 'expected 1s or longer')
      .default('1m')
      .describe('Time between two looks'),
    remindEvery: duration()
      .default('6h')
      .describe('Until what lasts is told again; each further reminder takes twice as long as the one before'),
    reminders: count().max(20).default(4).describe('Reminders of one alert, at most'),
    quiet: z
      .array(z.enum(ALERT_KIND_NAMES))
      .default([])
      .describe('Kinds of alerts that are listed and not told: docs/reference/alerts.md names them'),
    backupAge: duration().default('2d').describe('Age of the newest backup from which one is overdue'),
    journalLag: duration().default('2m').describe('Age of what is durable in a journal that is too old'),
    replicationLag: duration().default('1h').describe('How far a target may be behind'),
    slotWal: size().prefault('4GiB').describe('WAL that the slot of the journal may keep on the server'),
    freeSpace: z
      .strictObject({
        warning: count()
          .max(100)
          .default(15)
          .describe('Free share of a folder that holds backups, percent, below which it warns'),
        critical: count().max(100).default(5).describe('The same, below which it is critical'),
      })
      .prefault({}),
  })
  .prefault({});
