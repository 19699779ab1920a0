/** From what nobody has to do anything about to what somebody has to act on now. */
export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What channels choose from by `events`. */
export const ALERT_EVENTS = ['failure', 'success', 'recovery', 'lag', 'storage', 'drill', 'plan'] as const;
export type AlertEvent = (typeof ALERT_EVENTS)[number];

export function isAtLeast(severity: Severity, floor: Severity): boolean {
  return SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(floor);
}
