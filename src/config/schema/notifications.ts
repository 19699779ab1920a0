import * as z from 'zod';
import { ALERT_EVENTS } from '../../domain/alerts/alert-terms.ts';
import { duration, name, path, secret, secretUrl } from './leaf.ts';

const events = z
  .array(z.enum(ALERT_EVENTS))
  .default(['failure', 'recovery', 'lag', 'storage', 'drill', 'plan'])
  .describe('What is told: docs/reference/alerts.md says which alert is which event');

const channel = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('webhook').describe('Kind'),
    url: secretUrl().describe('URL that gets a JSON document'),
    events,
  }),
  z.strictObject({
    type: z.literal('slack').describe('Kind'),
    url: secretUrl().describe('Incoming webhook'),
    events,
  }),
  z.strictObject({
    type: z.literal('pagerduty').describe('Kind'),
    routingKey: secret().describe('Events v2 routing key'),
    endpoint: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('URL of the service, where it is another one than that of PagerDuty itself'),
    events,
  }),
  z.strictObject({
    type: z.literal('email').describe('Kind'),
    smtpUrl: secretUrl().describe('`smtps://user:password@host`, or `smtp://…` with STARTTLS'),
    from: z.string().min(3).describe('Sender'),
    to: z.array(z.string().min(3)).min(1).describe('Recipients'),
    tls: z
      .enum(['required', 'none'])
      .default('required')
      .describe('Of `smtp://`: refuse a server without STARTTLS, or send everything in clear text'),
    caPath: path().optional().describe('Certificate authorities of the server, PEM; those of the system without it'),
    events,
  }),
  z.strictObject({
    type: z.literal('command').describe('Kind'),
    run: z
      .array(z.string())
      .min(1)
      .describe('Program and arguments; it gets the JSON document on its standard input, and ends with 0'),
    timeout: duration().default('30s').describe('Time that it may take, at most 5 minutes'),
    events,
  }),
]);

/** Who is told what. */
export const notificationsSection = z.record(name(), channel).default({}).describe('Channels by name');
