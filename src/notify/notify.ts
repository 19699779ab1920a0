import type { Message } from '../domain/message.ts';
import type { Secret } from '../domain/secret.ts';

/** Where messages go. URLs and keys are secrets: they are revealed to the server alone. */
export type Channel = { readonly name: string; readonly events: readonly string[] } & (
  | { readonly type: 'webhook' | 'slack'; readonly url: Secret }
  | {
      readonly type: 'pagerduty';
      readonly routingKey: Secret;
      /** Default: that of the service. */ readonly url?: string;
    }
  | { readonly type: 'email' }
);

/** Rejects with NOTIFICATION_FAILED, NOTIFICATION_UNAVAILABLE and the reason of an abort. */
export interface Notifications {
  /** Names of the channels that hear of an event, or of those that are named. @throws LifeboatError NOTIFICATION_UNAVAILABLE */
  choose(wanted: readonly string[] | { readonly event: string }): readonly string[];
  tell(channel: string, message: Message, signal: AbortSignal): Promise<void>;
}
