import { html, type Html } from '../../http-api';
import type { AlertCount, FailingEvents, FailingProvider } from '../../integrations';
import { pill } from '../layout';
import { timeTag } from '../time-tag';

export interface WhatFails {
  readonly providers: readonly FailingProvider[];
  readonly events: readonly FailingEvents[];
  readonly alerts: readonly AlertCount[];
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
  const ourAlerts = sumOf(alerts.filter(({ kind }) => OURS.has(kind)));
  const others = sumOf(alerts) - ourAlerts;
  const them = providers.length > 0;
  const us = events.length > 0 || ourAlerts > 0;
  const lines = [
    ...providers.map((each) => line('Them', providerWords(each, facts))),
    ...events.map((each) => line('Us', eventWords(each, facts))),
    ...(ourAlerts > 0
      ? [line('Us', html`<a href="/admin/alerts?state=open">${counted(ourAlerts, 'open alert')}</a> of how this side is set up or works`)]
      : []),
    ...(others > 0
      ? [line('Look', html`<a href="/admin/alerts?state=open">${counted(others, 'open alert')}</a> of single connections or providers`)]
      : []),
  ];
  return html`<section class="verdict" aria-labelledby="verdict">
    <h2 id="verdict">${sentence(them, us, others > 0)}</h2>
    ${
      lines.length > 0 &&
      html`<ul>
        ${lines}
      </ul>`
    }
  </section>`;
}

function sentence(them: boolean, us: boolean, others: boolean): string {
  if (them && us) return 'It is both: calls to providers fail, and so does something on this side.';
  if (them) return 'It is them: calls to providers fail. Nothing on this side does.';
  if (us) return 'It is us: something on this side fails. The providers answer.';
  return others ? 'Providers and this side work; some alerts are open.' : 'All is well: nothing fails, and no alert is open.';
}

function line(whose: 'Them' | 'Us' | 'Look', words: Html): Html {
  return html`<li>${pill(whose === 'Look' ? 'warn' : 'bad', whose)} ${words}</li>`;
}

function providerWords({ provider, failed, requests, tenants, connections, since }: FailingProvider, { nameOf, nowMs }: WhatFails): Html {
  return html`<a href="/admin/providers/${provider}">${nameOf(provider)}</a>: ${count(failed)} of ${counted(requests, 'request')} of the
    last hour failed, since ${timeTag(since, nowMs)}; ${counted(tenants, 'organization')}, ${counted(connections, 'connection')}`;
}

function eventWords({ provider, retrying, dead, since, tenants, connections }: FailingEvents, { nameOf, nowMs }: WhatFails): Html {
  const kinds = [...(retrying > 0 ? [`${count(retrying)} tried again`] : []), ...(dead > 0 ? [`${count(dead)} given up`] : [])];
  return html`<a href="/admin/failed-events">Events of ${nameOf(provider)}</a> fail in their handlers: ${kinds.join(', ')}, the oldest came
    ${timeTag(since, nowMs)}; ${counted(tenants, 'organization')}, ${counted(connections, 'connection')}`;
}

function sumOf(alerts: readonly AlertCount[]): number {
  return alerts.reduce((sum, { open }) => sum + open, 0);
}

function count(value: number): string {
  return value.toLocaleString('en');
}

function counted(value: number, what: string): string {
  return `${count(value)} ${what}${value === 1 ? '' : 's'}`;
}
