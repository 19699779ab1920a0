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
    const { events } = channel;
    switch (channel.type) {
      case 'webhook':
      case 'slack':
        return { name, events, type: channel.type, url: channel.url };
      case 'pagerduty':
        return { name, events, type: 'pagerduty', routingKey: channel.routingKey };
      case 'email':
        return { name, events, type: 'email' };
    }
  });
}
