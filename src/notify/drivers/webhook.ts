import type { Driver, WebhookSettings } from '../notify.ts';
import { postJson } from '../post-json.ts';

/** Posts the message as it is. `notice.id` is the same for each attempt. */
export function createWebhookChannel(name: string, { url }: WebhookSettings): Driver {
  return async (message, signal) =>
    postJson(name, { url: url.reveal(), body: { event: 'recovery', ...message } }, signal);
}
