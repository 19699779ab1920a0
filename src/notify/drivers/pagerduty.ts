import type { Message } from '../../domain/message.ts';
import type { Driver, PagerDutySettings } from '../notify.ts';
import { postJson } from '../post-json.ts';

const ENQUEUE_URL = 'https://events.pagerduty.com/v2/enqueue';
/** Limits of the service: https://developer.pagerduty.com/docs/send-alert-event */
const SUMMARY_CHARACTERS = 1_024;
const KEY_CHARACTERS = 255;

/**
 * Events v2: an alert triggers an incident under its key, a reminder triggers the same one again, and its end resolves it. What was over before it was told
 * resolves as well, and a test resolves what it has triggered: nothing is opened that nobody would close.
 */
export function createPagerDutyChannel(name: string, { routingKey, url = ENQUEUE_URL }: PagerDutySettings): Driver {
  return async (message, signal) => {
    for (const event of eventsOf(message)) {
      await postJson(name, { url, body: { routing_key: routingKey.reveal(), ...event } }, signal);
    }
  };
}

function eventsOf({ title, text, isAlarm, facts, notice }: Message): readonly object[] {
  const key = notice === undefined ? facts['run'] : `lifeboat/${notice.group}/${notice.alert.key}`;
  const incident = { dedup_key: key?.slice(0, KEY_CHARACTERS) };
  const resolve = { event_action: 'resolve', ...incident };
  if (notice?.state === 'resolve' || notice?.state === 'pass') return [resolve];
  const trigger = {
    event_action: 'trigger',
    ...incident,
    payload: {
      summary: `${title}: ${text}`.slice(0, SUMMARY_CHARACTERS),
      source: 'lifeboat',
      severity: notice?.alert.severity ?? (isAlarm ? 'critical' : 'info'),
      custom_details: facts,
    },
  };
  return notice?.state === 'test' ? [trigger, resolve] : [trigger];
}
