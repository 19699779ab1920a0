import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { AlertsView } from './alerts.ts';
import { QUERIES, SIGNALS, UPDATES } from './names.ts';

/** How alerts stand, as of the last look. */
export const alertsView = defineQuery<AlertsView>(QUERIES.alerts);

/** Looks now, at everything, and gives what was found. */
export const lookNow = defineUpdate<AlertsView>(UPDATES.lookForAlerts);

/** Something has failed: the next look is now. Nothing of it is believed: the look sees for itself. */
export const somethingFailed = defineSignal(SIGNALS.somethingFailed);
