import type { Alert } from './alert.ts';
import { ALERT_KINDS, type AlertKind } from './alert-kinds.ts';

/** Of what a message of an error may be long: whole sentences, no books. */
const SUMMARY_CHARACTERS = 500;

/** An alert of a kind about a subject; `severity`, `hint` and `isOver` where they are not those of the kind. */
export function makeAlert(
  kind: AlertKind,
  subject: string,
  about: Pick<Alert, 'summary' | 'since'> & Partial<Pick<Alert, 'severity' | 'facts' | 'hint' | 'isOver'>>,
): Alert {
  const rule = ALERT_KINDS[kind];
  const { summary, since, severity = rule.severity, facts = {}, hint = rule.hint, isOver } = about;
  return {
    key: `${kind}/${subject}`,
    kind,
    severity,
    summary: summary.replaceAll(/\s+/g, ' ').slice(0, SUMMARY_CHARACTERS),
    hint,
    facts,
    since,
    ...(isOver === undefined ? {} : { isOver }),
  };
}

export const isoOf = (timeMs: number): string => new Date(timeMs).toISOString();
