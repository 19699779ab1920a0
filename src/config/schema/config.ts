import * as z from 'zod';
import { alertsSection } from './alerts.ts';
import { journalSection, postgresSection, redisSection, restoreSection } from './databases.ts';
import { drillSection } from './drill.ts';
import { failoverSection } from './failover.ts';
import { name, path } from './leaf.ts';
import { notificationsSection } from './notifications.ts';
import * as operations from './operations.ts';
import * as schedules from './schedules.ts';
import * as storage from './storage.ts';

/** All of `config/backup.json`. Unknown keys are refused everywhere; every key has a default or may be left out. */
export const configSchema = z.strictObject({
  $schema: z.string().optional().describe('For editors: `./backup.schema.json`'),
  group: name()
    .default('default')
    .describe('Name of the recovery group: the PostgreSQL and Redis that belong together'),
  home: path()
    .optional()
    .describe(
      'Folder for the state of the local stack, its programs and temporary files; `.lifeboat` in the project when nothing says otherwise',
    ),
  postgres: postgresSection,
  redis: redisSection,
  storage: storage.storageSection,
  stores: storage.storesSection,
  crossRegion: storage.crossRegionSection,
  compression: storage.compressionSection,
  encryption: storage.encryptionSection,
  signing: storage.signingSection,
  retention: storage.retentionSection,
  restore: restoreSection,
  journal: journalSection,
  schedule: schedules.scheduleSection,
  schedules: schedules.schedulesSection,
  services: operations.servicesSection,
  commands: operations.commandsSection,
  endpoints: operations.endpointsSection,
  failover: failoverSection,
  drPlans: operations.drPlansSection,
  objectives: operations.objectivesSection,
  drill: drillSection,
  notifications: notificationsSection,
  alerts: alertsSection,
  security: operations.securitySection,
  temporal: operations.temporalSection,
  monitoring: operations.monitoringSection,
  log: operations.logSection,
  progress: operations.progressSection,
  worker: operations.workerSection,
  embedded: operations.embeddedSection,
});

/**
 * The effective configuration. Paths are absolute, sizes are bytes, secrets are `Secret`s, durations are checked text
 * (`durationMs` of domain/duration.ts).
 */
export type Config = z.output<typeof configSchema>;
