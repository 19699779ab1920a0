import { durationMs } from '../domain/duration.ts';
import { unreachable } from '../domain/unreachable.ts';
import type { Channel, ChannelSettings } from '../notify/notify.ts';
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
  return Object.entries(notifications).map(([name, channel]) => ({
    name,
    events: channel.events,
    ...settingsOf(channel),
  }));
}

/** Longer than this no program may hold up the messages behind it. */
const LONGEST_COMMAND_MS = 5 * 60_000;

function settingsOf(channel: Config['notifications'][string]): ChannelSettings {
  switch (channel.type) {
    case 'webhook':
    case 'slack':
      return { type: channel.type, url: channel.url };
    case 'pagerduty': {
      const { type, routingKey, endpoint } = channel;
      return { type, routingKey, ...(endpoint === undefined ? {} : { url: endpoint }) };
    }
    case 'email': {
      const { type, smtpUrl, from, to, tls, caPath } = channel;
      return { type, smtpUrl, from, to, tls, caPath };
    }
    case 'command': {
      const [program = '', ...args] = channel.run;
      const timeoutMs = Math.min(durationMs(channel.timeout), LONGEST_COMMAND_MS);
      return { type: channel.type, run: [program, ...args], timeoutMs };
    }
  }
  return unreachable(channel);
}
