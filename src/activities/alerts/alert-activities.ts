import type { AlertsControl } from '../../contract/alerts.ts';
import { messageOf } from '../../domain/alerts/message-of.ts';
import type { Dependencies } from '../dependencies.ts';
import { withOperation } from '../operation.ts';
import { lookForAlerts } from './look-for-alerts.ts';

export function createAlertActivities(deps: Dependencies): AlertsControl {
  const { settings, notifications } = deps;
  return {
    lookForAlerts: (input) => withOperation(settings, (operation) => lookForAlerts(deps, input, operation)),
    tellChannel: ({ channel, notice }) =>
      withOperation(settings, async ({ signal }) => notifications.tell(channel, messageOf(notice), signal)),
  };
}
