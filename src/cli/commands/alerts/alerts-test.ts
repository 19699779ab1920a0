import { defineCommand } from '../../command.ts';
import { required } from '../../options.ts';
import { withAlerts } from './with-alerts.ts';

/** `alerts test CHANNEL`: whether a channel works before it is needed. */
export const alertsTest = defineCommand({
  name: 'alerts test',
  summary: 'send a message that is marked as a test through a channel',
  description:
    'The worker sends it, once, as it sends alerts: with its own configuration and from its own host. What the other side makes of it is for you to look at.',
  arguments: { channel: required('name of a channel of `notifications`') },
  options: {},
  examples: ['alerts test ops', 'alerts test ops --json'],
  answers: ['channel', 'told'],
  exits: [7],
  run: (context, { arguments: { channel } }) =>
    withAlerts(context, async (manager) => {
      await manager.testChannel(channel);
      return { json: { channel, told: true }, text: () => `${channel} has taken a test message` };
    }),
});
