import { durationMs } from '../domain/duration.ts';
import type { Channel } from '../notify/notify.ts';
import type { CommandDefinition } from '../services/commands.ts';
import type { Config } from './schema/config.ts';

/** Commands that plans may run. */
export function commandDefinitions({ commands }: Config): readonly CommandDefinition[] {
  return commands.map(({ name, run, timeout }) => ({ name, run, timeoutMs: durationMs(timeout) }));
}

/** Channels by name, in the order of the configuration. */
export function notificationChannels({ notifications }: Config): readonly Channel[] {
  return Object.entries(notifications).map(([name, channel]): Channel => {
    const { events, type } = channel;
    if (type === 'email') return { name, events, type };
    if (type === 'pagerduty') return { name, events, type, routingKey: channel.routingKey };
    return { name, events, type, url: channel.url };
  });
}
