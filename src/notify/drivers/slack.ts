import type { Driver, SlackSettings } from '../notify.ts';
import { postJson } from '../post-json.ts';

/** Characters that Slack takes for marks of its own: https://docs.slack.dev/messaging/formatting-message-text */
const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** Posts to an incoming webhook of Slack, and of what speaks its form (Mattermost, Rocket.Chat). */
export function createSlackChannel(name: string, { url }: SlackSettings): Driver {
  return async ({ title, text, facts }, signal) => {
    const lines = Object.entries(facts).map(([fact, value]) => `• ${fact}: ${value}`);
    const body = [text, ...lines].map(escape);
    await postJson(name, { url: url.reveal(), body: { text: [`*${escape(title)}*`, ...body].join('\n') } }, signal);
  };
}

function escape(text: string): string {
  return text.replaceAll(/[&<>]/g, (character) => ESCAPES[character] ?? character);
}
