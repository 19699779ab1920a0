import type { Message } from '../domain/message.ts';
import type { Secret } from '../domain/secret.ts';

/** Where messages go. URLs and keys are secrets: they are revealed to the server alone. */
export type Channel = ChannelRule & ChannelSettings;

export interface ChannelRule {
  readonly name: string;
  readonly events: readonly string[];
}

export type ChannelSettings = WebhookSettings | SlackSettings | PagerDutySettings | EmailSettings | CommandSettings;

export interface WebhookSettings {
  readonly type: 'webhook';
  readonly url: Secret;
}

export interface SlackSettings {
  readonly type: 'slack';
  readonly url: Secret;
}

export interface PagerDutySettings {
  readonly type: 'pagerduty';
  readonly routingKey: Secret;
  /** Default: that of the service. */
  readonly url?: string;
}

export interface EmailSettings {
  readonly type: 'email';
  /** `smtps://user:password@host:port`, or `smtp://…` with STARTTLS. */
  readonly smtpUrl: Secret;
  readonly from: string;
  readonly to: readonly string[];
  /** Of a `smtp://` URL: refuse a server without STARTTLS, or send in clear text. */
  readonly tls: 'required' | 'none';
  /** Certificate authorities, PEM; those of the system without it. */
  readonly caPath?: string | undefined;
}

export interface CommandSettings {
  readonly type: 'command';
  /** Program and arguments; the message is on its standard input. */
  readonly run: readonly [string, ...string[]];
  readonly timeoutMs: number;
}

/**
 * A way to tell people: hands one message over, and resolves when the other side has taken it. Rejects with NOTIFICATION_FAILED, whose words hold no
 * secret, and with the reason of an abort. Told twice, a message has the same id, by which the other side can see that.
 */
export type Driver = (message: Message, signal: AbortSignal) => Promise<void>;

/** Rejects with NOTIFICATION_FAILED, NOTIFICATION_UNAVAILABLE and the reason of an abort. */
export interface Notifications {
  /** Names of the channels that hear of an event, or of those that are named. @throws LifeboatError NOTIFICATION_UNAVAILABLE */
  choose(wanted: readonly string[] | { readonly event: string }): readonly string[];
  tell(channel: string, message: Message, signal: AbortSignal): Promise<void>;
}
