import { html, type Html } from '../../http-api';
import type { Alert } from '../../integrations';
import { actionForm } from '../form';
import { pill } from '../layout';
import { table } from '../table';
import { timeTag } from '../time-tag';
import { statusPill } from './status-words';

export interface AlertTableContext {
  readonly nowMs: number;
  readonly csrfToken: string;
  readonly empty: string;
  /** Page to come back to. */
  readonly back: '/admin' | '/admin/alerts';
}

export function alertTable(alerts: readonly Alert[], { nowMs, csrfToken, empty, back }: AlertTableContext): Html {
  const rows = alerts.map((alert) => [
    html`${alert.state === 'open' ? pill('bad', 'Open') : statusPill(alert.state)}`,
    html`<div class="wide"><strong>${alert.title}</strong><br />${alert.detail} ${alert.nextStep}</div>`,
    alert.provider ?? '–',
    alert.count.toLocaleString('en'),
    timeTag(alert.openedAt, nowMs),
    timeTag(alert.lastSeenAt, nowMs),
    alert.state === 'open'
      ? actionForm({
          to: `/admin/alerts/${alert.id}/acknowledge`,
          label: 'Acknowledge',
          about: alert.title,
          csrfToken,
          id: `ack-${alert.id}`,
          fields: { back },
        })
      : html`${alert.acknowledgedBy && html`by ${alert.acknowledgedBy}`}`,
  ]);
  return table('Alerts', ['State', 'Alert', 'Provider', 'Count', 'Opened', 'Last seen', 'Acknowledge'], rows, empty);
}
