import { html, type Html } from '../../http-api';
import type { ConnectionHealth, FailingEvents, ProviderHealth } from '../../integrations';
import { counted } from '../counted';
import { pill } from '../layout';
import { timeTag, untilTag } from '../time-tag';
import { statusPill } from './status-words';

/** The state of a provider, with what it is made of; nothing is called healthy beside something that is not. */
export function providerHealthCell(health: ProviderHealth, nowMs: number, openAlerts: number, events?: FailingEvents): Html {
  const { needsReauth } = health.connections;
  const isHeldBack = health.circuit === 'open';
  const nextTry = health.nextTryAt === null ? [] : [html`next try ${untilTag(new Date(health.nextTryAt), nowMs)}`];
  return healthCell(health, [
    ...nextTry,
    ...(isHeldBack ? ['calls are held back'] : []),
    ...(events && events.dead > 0 ? [`${counted(events.dead, 'event', events.atLeast.includes('dead'))} given up`] : []),
    ...(events && events.retrying > 0
      ? [`${counted(events.retrying, 'event', events.atLeast.includes('retrying'))} failing, tried again`]
      : []),
    ...(openAlerts > 0 ? [counted(openAlerts, 'open alert')] : []),
    ...(needsReauth > 0 ? [`${counted(needsReauth, 'connection')} to be reconnected`] : []),
  ]);
}

export function connectionHealthCell(health: ConnectionHealth): Html {
  return healthCell(health, health.connectionStatus === 'needs_reauth' ? ['it has to be reconnected'] : []);
}

type Reason = Html | string;

function healthCell(health: ProviderHealth | ConnectionHealth, others: readonly Reason[]): Html {
  const { status } = health;
  const isWell = status === 'healthy' || status === 'unknown';
  const reasons = [...(isWell ? [] : failures(health)), ...others];
  const shown = isWell && others.length > 0 ? pill('warn', 'Needs attention') : statusPill(status);
  return html`${shown}${
    reasons.length > 0 && html`<br /><span class="soft">${reasons.map((reason, index) => html`${index > 0 && '; '}${reason}`)}</span>`
  }`;
}

/** How many failed, and how many of all were put off by the provider's limits. */
function failures({ errorRate24h, requests24h, rateLimited24h: limited }: ProviderHealth | ConnectionHealth): string[] {
  const failed = Math.round((errorRate24h ?? 0) * requests24h) - limited;
  const of = counted(requests24h, 'request');
  return [
    ...(failed > 0 ? [`${failed.toLocaleString('en')} of ${of} failed`] : []),
    ...(limited > 0 ? [`${limited.toLocaleString('en')} of ${of} put off, as it asks us to slow down`] : []),
  ];
}

export function errorShare(errorRate: number | null): string {
  return errorRate === null ? '–' : `${(errorRate * 100).toFixed(errorRate > 0 && errorRate < 0.1 ? 2 : 1)}\u00a0%`;
}

export function maybeTime(at: string | null, nowMs: number): Html | string {
  return at === null ? 'Never' : timeTag(at, nowMs);
}
