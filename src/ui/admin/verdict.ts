import { html, type Html } from '../../http-api';
import type { AlertCount, FailingEvents, FailingProvider, ProviderHealth, WaitingRuns } from '../../integrations';
import { count, counted } from '../counted';
import { pill } from '../layout';
import { timeTag, untilTag } from '../time-tag';

export interface WhatFails {
  readonly providers: readonly FailingProvider[];
  readonly events: readonly FailingEvents[];
  readonly alerts: readonly AlertCount[];
  /** Syncs of the failing providers that wait for another try. */
  readonly waiting: readonly WaitingRuns[];
  readonly health: readonly ProviderHealth[];
  readonly nameOf: (provider: string) => string;
  readonly nowMs: number;
}

/** The kinds of alerts whose cause lies with us: with how this service, or the product behind it, is set up or works. */
const OURS: ReadonlySet<string> = new Set([
  'provider_misconfigured',
  'clock_skew',
  'connection_altered',
  'handlers_failing',
  'dead_letters',
  'destination_paused',
]);

/** The first line of the overview: whether it is them, the providers, or us; since when, and whom it concerns. */
export function verdict(facts: WhatFails): Html {
  const { providers, events, alerts } = facts;
  const ended = facts.health.reduce((sum, { connections }) => sum + connections.needsReauth, 0);
  const ourAlerts = sumOf(alerts.filter(({ kind }) => OURS.has(kind)));
  const otherAlerts = sumOf(alerts) - ourAlerts;
  const them = providers.some(isFailing);
  const us = events.length > 0 || ourAlerts > 0;
  const lines = [
    ...providers.map((each) => line(isFailing(each) ? 'Them' : 'Limits', providerWords(each, facts))),
    ...events.map((each) => line('Us', eventWords(each, facts))),
    ...(ourAlerts > 0
      ? [line('Us', html`<a href="/admin/alerts?state=open">${counted(ourAlerts, 'open alert')}</a> of how this side is set up or works`)]
      : []),
    ...(ended > 0 ? [line('Look', endedWords(ended))] : []),
    ...(otherAlerts > 0
      ? [
          line(
            'Look',
            html`<a href="/admin/alerts?state=open">${counted(otherAlerts, 'open alert')}</a> of single connections or providers`,
          ),
        ]
      : []),
  ];
  return html`<section class="verdict" aria-labelledby="verdict">
    <h2 id="verdict">${sentence({ them, us, limits: providers.length > 0, ended: ended > 0, alerts: otherAlerts > 0 })}</h2>
    ${
      lines.length > 0 &&
      html`<ul>
        ${lines}
      </ul>`
    }
  </section>`;
}

/** Who answers that it was asked too much does not fail. */
function isFailing({ failed, limited }: FailingProvider): boolean {
  return failed > limited;
}

function sentence({ them, us, limits, ended, alerts }: Readonly<Record<'them' | 'us' | 'limits' | 'ended' | 'alerts', boolean>>): string {
  if (them && us) return 'It is both: calls to providers fail, and so does something on this side.';
  if (them) return 'It is them: calls to providers fail. Nothing on this side does.';
  if (us) return 'It is us: something on this side fails. The providers answer.';
  if (limits) return 'Providers and this side work; some providers ask us to slow down, and what they put off goes on by itself.';
  if (ended) return 'Providers and this side work; some connections have to be reconnected.';
  return alerts ? 'Providers and this side work; some alerts are open.' : 'All is well: nothing fails, and no alert is open.';
}

function line(whose: 'Them' | 'Us' | 'Limits' | 'Look', words: Html): Html {
  return html`<li>${pill(whose === 'Them' || whose === 'Us' ? 'bad' : 'warn', whose)} ${words}</li>`;
}

function providerWords(each: FailingProvider, { nameOf, nowMs, waiting }: WhatFails): Html {
  const { provider, failed, limited, requests, tenants, connections, since } = each;
  const syncs = waiting.find((runs) => runs.provider === provider);
  // A call may be counted a moment before it is known whose it was.
  const whose = connections > 0 && html`; ${counted(tenants, 'organization')}, ${counted(connections, 'connection')}`;
  const of = html`of ${counted(requests, 'request')} of the last hour`;
  const what = isFailing(each)
    ? html`: ${count(failed)} ${of} failed${limited > 0 && html`, ${count(limited)} of them as it asks us to slow down`}`
    : html` asks us to slow down: ${count(limited)} ${of} were put off`;
  return html`<a href="/admin/providers/${provider}">${nameOf(provider)}</a>${what}, since
    ${timeTag(since, nowMs)}${whose}${syncs && waitingWords(syncs, nowMs)}`;
}

function waitingWords({ provider, count: syncs, nextTryAt }: WaitingRuns, nowMs: number): Html {
  const link = html`<a href="/admin/sync-runs?provider=${provider}">${counted(syncs, 'sync')}</a>`;
  return html`; ${link} ${syncs === 1 ? 'waits' : 'wait'}, the next try ${untilTag(nextTryAt, nowMs)}`;
}

function endedWords(connections: number): Html {
  const link = html`<a href="/admin/connections?status=needs_reauth">${counted(connections, 'connection')}</a>`;
  return html`${link} ${connections === 1 ? 'has to be reconnected by its user' : 'have to be reconnected by their users'}`;
}

function eventWords({ provider, since, atLeast, ...events }: FailingEvents, { nameOf, nowMs }: WhatFails): Html {
  const { retrying, dead, tenants, connections } = events;
  const more = (name: keyof typeof events) => atLeast.includes(name);
  const kinds = [
    ...(retrying > 0 ? [`${count(retrying, more('retrying'))} tried again`] : []),
    ...(dead > 0 ? [`${count(dead, more('dead'))} given up`] : []),
  ];
  return html`<a href="/admin/failed-events">Events of ${nameOf(provider)}</a> fail in their handlers: ${kinds.join(', ')}, the oldest came
    ${timeTag(since, nowMs)}; ${counted(tenants, 'organization', more('tenants'))},
    ${counted(connections, 'connection', more('connections'))}`;
}

function sumOf(alerts: readonly AlertCount[]): number {
  return alerts.reduce((sum, { open }) => sum + open, 0);
}
