import { describeDuration } from '../drill/describe-duration.ts';
import type { Alert, Notice } from './alert.ts';
import { ALERT_KINDS } from './alert-kinds.ts';

const WORDS = { fire: '', remind: 'Still: ', resolve: 'Resolved: ', pass: '', test: 'Test: ' } as const;

/** A notice in words. */
export function messageOf(notice: Notice): {
  readonly title: string;
  readonly text: string;
  readonly isAlarm: boolean;
  readonly facts: Readonly<Record<string, string>>;
  readonly event: string;
  readonly notice: Notice;
} {
  const { state, group, alert, at } = notice;
  const { kind, severity, summary, hint, since } = alert;
  const isOpen = state === 'fire' || state === 'remind';
  const lasted = describeDuration(Math.max(0, Date.parse(at) - Date.parse(since)));
  return {
    title: `[${isOpen ? severity : state === 'test' ? 'test' : 'info'}] ${WORDS[state]}${titleOf(alert)} (${group})`,
    text: [
      asSentence(summary),
      ...(isOpen ? [`What to do: ${asSentence(hint)}`] : []),
      ...(state === 'resolve' ? [`It is over after ${lasted}.`] : []),
    ].join(' '),
    isAlarm: isOpen && severity !== 'info',
    facts: { ...alert.facts, group, kind, since },
    event: state === 'test' ? 'test' : ALERT_KINDS[kind].event,
    notice,
  };
}

/** `operation-failed/full` → `operation failed: full`; ids of runs are facts, and no titles. */
function titleOf({ kind, key }: Alert): string {
  const subject = key.slice(kind.length + 1);
  const words = kind.replaceAll('-', ' ');
  return /^[0-9a-f-]{20,}$/.test(subject) || subject === '' ? words : `${words}: ${subject}`;
}

/** With a capital in front, and a full stop where it does not end with a mark already. */
export function asSentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? '' : '.'}`;
}
