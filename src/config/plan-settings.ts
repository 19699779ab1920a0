import { durationMs } from '../domain/duration.ts';
import type { Channel } from '../notify/notify.ts';
import type { CommandDefinition } from '../services/commands.ts';
import type { EndpointDefinition } from '../services/endpoints.ts';
import type { Config } from './schema/config.ts';

/** Commands that plans may run. */
export function commandDefinitions({ commands }: Config): readonly CommandDefinition[] {
  return commands.map(({ name, run, timeout }) => ({ name, run, timeoutMs: durationMs(timeout) }));
}

/** What a change of roles leads to another region; those of other kinds by name alone. */
export function endpointDefinitions({ endpoints }: Config): {
  readonly definitions: readonly EndpointDefinition[];
  readonly unavailable: readonly string[];
} {
  return {
    definitions: endpoints.flatMap((endpoint) => {
      if (endpoint.type !== 'command') return [];
      const { name, apply, verify, undo = null } = endpoint;
      return [{ name, apply, verify, undo }];
    }),
    unavailable: endpoints.filter(({ type }) => type !== 'command').map(({ name }) => name),
  };
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
