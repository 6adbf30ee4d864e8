import { Controller, Inject, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { BrowserNews, CurrentUser, type EdgeRequest, html, Roles, visibleTenant, type Html, type SessionPrincipal } from '../../http-api';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import {
  addressesToRegister,
  AlertService,
  type AlertCount,
  CurrentTraffic,
  type FailingEvents,
  type HourlyTraffic,
  ProviderHealthService,
  ProviderRegistry,
  WebhookEventList,
  type ConnectionHealth,
  type ProviderHealth,
  type QueueState,
} from '../../integrations';
import { page, pill } from '../layout';
import { sparkline } from '../sparkline';
import { liveRegion } from '../live/live-region';
import { PageRoute } from '../page-route.decorators';
import { table } from '../table';
import { duration, timeTag } from '../time-tag';
import { adminNotice } from './admin-notices';
import { alertTable } from './alert-table';
import { connectionHealthCell, providerHealthCell } from './health-cell';
import { statusPill } from './status-words';
import { verdict } from './verdict';

const MOST_ALERTS = 10;
const MOST_CONNECTIONS = 100;

/** What the table of the providers is made of, beside their health. */
interface Circumstances {
  readonly alerts: readonly AlertCount[];
  readonly events: readonly FailingEvents[];
  readonly hourly: ReadonlyMap<string, HourlyTraffic>;
  readonly nowMs: number;
}

/** How everything is, at a glance. */
@Roles('admin')
@Controller('admin')
export class OverviewPageController {
  constructor(
    private readonly health: ProviderHealthService,
    private readonly alerts: AlertService,
    private readonly events: WebhookEventList,
    private readonly traffic: CurrentTraffic,
    private readonly registry: ProviderRegistry,
    private readonly news: BrowserNews,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'publicUrl'>,
  ) {}

  @PageRoute()
  async show(
    @CurrentUser() caller: SessionPrincipal,
    @Req() request: EdgeRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const tenant = visibleTenant(caller);
    const [all, newest, queue, failing, around] = await Promise.all([
      this.health.all(tenant),
      this.alerts.list({ tenant, state: 'open', limit: MOST_ALERTS }),
      this.events.queue(tenant),
      this.traffic.failing(tenant),
      this.circumstances(tenant),
    ]);
    const { nowMs, alerts, events } = around;
    const shown = all.filter((each) => this.registry.get(each.provider).configured || isInUse(each));
    const open = alerts.reduce((sum, each) => sum + each.open, 0);
    const nameOf = (key: string) => this.registry.find(key)?.name ?? key;
    const notice = adminNotice(this.news.take(request, reply, caller));
    const content = html`${verdict({ providers: failing, events, alerts, nameOf, nowMs })}
      <h2>Providers, last 24 hours</h2>
      ${this.healthTable(shown, around)}
      ${all.length > shown.length && html`<p class="soft">${(all.length - shown.length).toLocaleString('en')} more are not set up here.</p>`}
      <h2>Open alerts: ${open.toLocaleString('en')}</h2>
      ${alertTable(newest, { nowMs, caller, empty: 'No alert is open.', back: '/admin' })}
      ${open > MOST_ALERTS && html`<p><a href="/admin/alerts?state=open">All open alerts</a></p>`}
      <h2>Queue of webhook events</h2>
      ${queueTable(queue)}`;
    return page({ title: 'Overview', caller, path: '/admin', body: html`${notice} ${liveRegion('overview', content)}` });
  }

  @PageRoute('providers/:provider')
  async provider(@CurrentUser() caller: SessionPrincipal, @Param('provider') key: string): Promise<string> {
    const tenant = visibleTenant(caller);
    const health = await this.health.one(key, tenant);
    const connections = await this.health.connections(key, tenant, MOST_CONNECTIONS);
    const around = await this.circumstances(tenant);
    const body = html`${this.healthTable([health], around)}
      <h2>Connections, those with the most failures first</h2>
      ${connectionTable(connections, around.nowMs)}
      <h2>Addresses to register at the provider</h2>
      ${addressTable(addressesToRegister(this.registry.get(key), this.settings.publicUrl))}`;
    return page({ title: this.registry.get(key).name, caller, path: '/admin', body });
  }

  private async circumstances(tenant: string | undefined): Promise<Circumstances> {
    const [alerts, events, hourly] = await Promise.all([
      this.alerts.countOpen(tenant),
      this.events.failing(tenant),
      this.traffic.hourly(tenant),
    ]);
    return { alerts, events, hourly, nowMs: this.clock.now() };
  }

  private healthTable(providers: readonly ProviderHealth[], { alerts, events, hourly, nowMs }: Circumstances): Html {
    const rows = providers.map((health) => {
      const provider = this.registry.get(health.provider);
      return [
        html`<a href="/admin/providers/${health.provider}">${provider.name}</a> ${!provider.configured && pill('soft', 'Not configured')}`,
        providerHealthCell(
          health,
          alerts.reduce((sum, each) => sum + (each.provider === health.provider ? each.open : 0), 0),
          events.find((each) => each.provider === health.provider),
        ),
        html`${rate(health.errorRate24h)} ${bars('Failed requests', 'bad', hourly.get(health.provider)?.failed)}`,
        html`${health.requests24h.toLocaleString('en')} ${bars('Requests', 'soft', hourly.get(health.provider)?.requests)}`,
        maybeTime(health.lastSuccess, nowMs),
        maybeTime(health.lastFailure, nowMs),
        health.connections.connected.toLocaleString('en'),
        health.connections.needsReauth.toLocaleString('en'),
        health.circuit === 'open' ? pill('bad', 'Open') : statusPill(health.circuit),
      ];
    });
    return table(
      'Health of the providers',
      ['Provider', 'Status', 'Errors', 'Requests', 'Last success', 'Last failure', 'Connected', 'Reconnect needed', 'Circuit'],
      rows,
      'No provider is registered.',
    );
  }
}

function isInUse({ requests24h, connections }: ProviderHealth): boolean {
  return requests24h > 0 || connections.connected > 0 || connections.needsReauth > 0;
}

function bars(what: string, tone: 'soft' | 'bad', values: readonly number[] | undefined): Html | undefined {
  return values?.some((value) => value > 0) ? sparkline({ what, values, tone }) : undefined;
}

function connectionTable(connections: readonly ConnectionHealth[], nowMs: number): Html {
  const rows = connections.map((row) => [
    html`<div class="wide"><a href="/admin/connections/${row.connectionId}">${row.accountName}</a></div>`,
    html`<span class="name">${row.userId ?? 'The organization'}</span>`,
    statusPill(row.connectionStatus),
    connectionHealthCell(row),
    rate(row.errorRate24h),
    row.requests24h.toLocaleString('en'),
    maybeTime(row.lastSuccess, nowMs),
    maybeTime(row.lastFailure, nowMs),
    html`<a href="/admin/requests?connection=${row.connectionId}">Requests</a> ·
      <a href="/admin/sync-runs?connection=${row.connectionId}">Sync runs</a>`,
  ]);
  return table(
    'Connections',
    ['Account', 'Whose', 'Connection', 'Status', 'Errors', 'Requests', 'Last success', 'Last failure', 'More'],
    rows,
    'Nobody has connected this provider.',
  );
}

function addressTable({ redirect, webhooks }: ReturnType<typeof addressesToRegister>): Html {
  const rows = [
    ['Redirect address (OAuth)', redirect],
    ['Webhooks', webhooks],
  ].flatMap(([what, address]) => (address === undefined ? [] : [[what, html`<code class="address">${address}</code>`]]));
  return table('Addresses to register', ['For', 'Address'], rows, 'Nothing is to be registered there.');
}

function queueTable({ depth, oldestAgeSeconds, inFlight, retrying, dead }: QueueState): Html {
  const oldest = depth === 0 || oldestAgeSeconds === null ? '–' : duration(oldestAgeSeconds * 1_000);
  const deadCell = dead === 0 ? '0' : html`<a class="bad" href="/admin/webhook-events?status=dead">${dead.toLocaleString('en')}</a>`;
  const row = [depth.toLocaleString('en'), oldest, inFlight.toLocaleString('en'), retrying.toLocaleString('en'), deadCell];
  return table('Queue of webhook events', ['Waiting', 'Oldest due for', 'In flight', 'To be retried', 'Dead'], [row], '');
}

function rate(errorRate: number | null): string {
  return errorRate === null ? '–' : `${(errorRate * 100).toFixed(errorRate > 0 && errorRate < 0.1 ? 2 : 1)}\u00a0%`;
}

function maybeTime(at: string | null, nowMs: number): Html | string {
  return at === null ? 'Never' : timeTag(at, nowMs);
}
