import { LifeboatError } from '../domain/errors.ts';
import { unreachable } from '../domain/unreachable.ts';
import type { Message } from '../domain/message.ts';
import type { Channel, Notifications } from './notify.ts';

/** A server that takes no message in this time is not waited for. */
const ANSWER_TIMEOUT_MS = 15_000;
const PAGERDUTY_URL = 'https://events.pagerduty.com/v2/enqueue';

/** Channels that are told by one HTTP request. */
export function createNotifications(channels: readonly Channel[]): Notifications {
  const find = (name: string): Channel => {
    const found = channels.find((channel) => channel.name === name);
    if (found === undefined) throw unavailable(name, 'not configured', channels);
    if (found.type === 'email') throw unavailable(name, 'email is not sent in this version', channels);
    return found;
  };
  return {
    choose(wanted) {
      if (!('event' in wanted)) return wanted.map((name) => find(name).name);
      return channels
        .filter(({ type, events }) => type !== 'email' && events.includes(wanted.event))
        .map(({ name }) => name);
    },
    tell: async (name, message, signal) => post(find(name), message, signal),
  };
}

async function post(channel: Channel, message: Message, signal: AbortSignal): Promise<void> {
  const { url, body } = requestOf(channel, message);
  const { name } = channel;
  const limited = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
  const headers = { 'content-type': 'application/json' };
  let status: number;
  try {
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'error', signal: limited });
    ({ status } = response);
    await response.body?.cancel();
  } catch (error) {
    signal.throwIfAborted();
    const why = limited.aborted ? `no answer in ${ANSWER_TIMEOUT_MS / 1_000} s` : reasonOf(error);
    // The cause may name the URL, which is a secret: its words are taken, and not the error itself.
    // oxlint-disable-next-line preserve-caught-error -- for that reason
    throw new LifeboatError('NOTIFICATION_FAILED', `tell channel ${name}: ${why}`, { details: { channel: name } });
  }
  if (status >= 200 && status < 300) return;
  throw new LifeboatError('NOTIFICATION_FAILED', `tell channel ${name}: status ${status}`, {
    details: { channel: name, status },
  });
}

/** The system's code where there is one: `ECONNREFUSED`. */
function reasonOf(error: unknown): string {
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const code: unknown = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? code : 'the request was refused';
}

function requestOf(channel: Channel, message: Message): { readonly url: string; readonly body: string } {
  const { title, text, isAlarm, facts } = message;
  switch (channel.type) {
    case 'webhook':
      return { url: channel.url.reveal(), body: JSON.stringify({ event: 'recovery', ...message }) };
    case 'slack': {
      const lines = Object.entries(facts).map(([fact, value]) => `• ${fact}: ${value}`);
      return { url: channel.url.reveal(), body: JSON.stringify({ text: [`*${title}*`, text, ...lines].join('\n') }) };
    }
    case 'pagerduty':
      return {
        url: channel.url ?? PAGERDUTY_URL,
        body: JSON.stringify({
          routing_key: channel.routingKey.reveal(),
          event_action: 'trigger',
          dedup_key: facts['run'],
          payload: {
            summary: `${title}: ${text}`.slice(0, 1_024),
            source: 'lifeboat',
            severity: isAlarm ? 'critical' : 'info',
            custom_details: facts,
          },
        }),
      };
    case 'email':
      throw unavailable(channel.name, 'email is not sent in this version', [channel]);
  }
  return unreachable(channel);
}

function unavailable(name: string, why: string, channels: readonly Channel[]): LifeboatError {
  return new LifeboatError('NOTIFICATION_UNAVAILABLE', `channel ${name}: ${why}`, {
    details: { channel: name, known: channels.map((channel) => channel.name) },
  });
}
