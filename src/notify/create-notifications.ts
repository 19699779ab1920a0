import { LifeboatError } from '../domain/errors.ts';
import { unreachable } from '../domain/unreachable.ts';
import { createCommandChannel } from './drivers/command.ts';
import { createEmailChannel } from './drivers/email.ts';
import { createPagerDutyChannel } from './drivers/pagerduty.ts';
import { createSlackChannel } from './drivers/slack.ts';
import { createWebhookChannel } from './drivers/webhook.ts';
import type { Channel, Driver, Notifications } from './notify.ts';

/** The configured channels. */
export function createNotifications(channels: readonly Channel[]): Notifications {
  const find = (name: string): Channel => {
    const found = channels.find((channel) => channel.name === name);
    if (found !== undefined) return found;
    throw new LifeboatError('NOTIFICATION_UNAVAILABLE', `channel ${name}: not configured`, {
      details: { channel: name, known: channels.map((channel) => channel.name) },
    });
  };
  return {
    choose(wanted) {
      if (!('event' in wanted)) return wanted.map((name) => find(name).name);
      return channels.filter(({ events }) => events.includes(wanted.event)).map(({ name }) => name);
    },
    tell: async (name, message, signal) => driverOf(find(name))(message, signal),
  };
}

function driverOf(channel: Channel): Driver {
  const { name } = channel;
  switch (channel.type) {
    case 'webhook':
      return createWebhookChannel(name, channel);
    case 'slack':
      return createSlackChannel(name, channel);
    case 'pagerduty':
      return createPagerDutyChannel(name, channel);
    case 'email':
      return createEmailChannel(name, channel);
    case 'command':
      return createCommandChannel(name, channel);
  }
  return unreachable(channel);
}
