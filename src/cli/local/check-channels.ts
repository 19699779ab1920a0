import { notificationChannels } from '../../config/plan-settings.ts';
import type { Environment } from '../../config/environment.ts';
import type { Config } from '../../config/schema/config.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { serverOf } from '../../notify/drivers/smtp-server.ts';
import type { Channel } from '../../notify/notify.ts';
import { requireExecutable } from '../../platform/executable.ts';
import { attempt, type ConfigCheck, skip } from './check.ts';

/** Whether channels could be used. Nobody is told anything: `lifeboat alerts test` does that. */
export async function checkChannels(config: Config, env: Environment): Promise<readonly ConfigCheck[]> {
  const channels = notificationChannels(config);
  if (channels.length === 0) return [skip('channels', 'none are configured: nobody is told of alerts')];
  return Promise.all(channels.map((channel) => attempt(`channel ${channel.name}`, () => look(channel, env))));
}

function look(channel: Channel, env: Environment): string {
  const untried = `nothing was sent: \`lifeboat alerts test ${channel.name}\` does`;
  if (channel.type === 'email') {
    const { host, port, secure } = serverOf(channel.name, channel);
    return `${host}:${port} by ${secure ? 'TLS' : channel.tls === 'none' ? 'clear text' : 'STARTTLS'}; ${untried}`;
  }
  if (channel.type === 'command') {
    return `${requireExecutable(`channel ${channel.name}`, channel.run[0], env['PATH'])}; ${untried}`;
  }
  if (channel.type === 'pagerduty') return untried;
  return `${hostOf(channel)}; ${untried}`;
}

/** The rest of the URL is a secret. */
function hostOf({ name, url }: Extract<Channel, { readonly type: 'webhook' | 'slack' }>): string {
  const text = url.reveal();
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (parsed !== undefined && /^https?:$/.test(parsed.protocol)) return parsed.host;
  throw new LifeboatError('CONFIG_INVALID', `notifications.${name}.url: not a URL of http or https`);
}
