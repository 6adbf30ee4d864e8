import { html, type Html } from '../../http-api';
import type { ConnectionHealth, FailingEvents, ProviderHealth } from '../../integrations';
import { counted } from '../counted';
import { pill } from '../layout';
import { timeTag } from '../time-tag';
import { statusPill } from './status-words';

/** The state of a provider, with what it is made of; nothing is called healthy beside something that is not. */
export function providerHealthCell(health: ProviderHealth, openAlerts: number, events?: FailingEvents): Html {
  const { needsReauth } = health.connections;
  const isHeldBack = health.circuit === 'open';
  return healthCell(health, [
    ...(isHeldBack ? ['calls are held back'] : []),
    ...(events && events.dead > 0 ? [`${counted(events.dead, 'event')} given up`] : []),
    ...(events && events.retrying > 0 ? [`${counted(events.retrying, 'event')} failing, tried again`] : []),
    ...(openAlerts > 0 ? [counted(openAlerts, 'open alert')] : []),
    ...(needsReauth > 0 ? [`${counted(needsReauth, 'connection')} to be reconnected`] : []),
  ]);
}

export function connectionHealthCell(health: ConnectionHealth): Html {
  return healthCell(health, health.connectionStatus === 'needs_reauth' ? ['it has to be reconnected'] : []);
}

function healthCell({ status, errorRate24h, requests24h }: ProviderHealth | ConnectionHealth, others: readonly string[]): Html {
  const isFailing = status === 'degraded' || status === 'down';
  const failures = isFailing && errorRate24h !== null ? [failedOf(errorRate24h, requests24h)] : [];
  const reasons = [...failures, ...others];
  const shown = !isFailing && others.length > 0 ? pill('warn', 'Needs attention') : statusPill(status);
  return html`${shown}${reasons.length > 0 && html`<br /><span class="soft">${reasons.join('; ')}</span>`}`;
}

function failedOf(errorRate: number, requests: number): string {
  return `${Math.round(errorRate * requests).toLocaleString('en')} of ${counted(requests, 'request')} failed`;
}

export function errorShare(errorRate: number | null): string {
  return errorRate === null ? '–' : `${(errorRate * 100).toFixed(errorRate > 0 && errorRate < 0.1 ? 2 : 1)}\u00a0%`;
}

export function maybeTime(at: string | null, nowMs: number): Html | string {
  return at === null ? 'Never' : timeTag(at, nowMs);
}
