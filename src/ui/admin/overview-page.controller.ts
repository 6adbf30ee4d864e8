import { Controller, Inject, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { BrowserNews, CurrentUser, type EdgeRequest, html, Roles, visibleTenant, type Html, type SessionPrincipal } from '../../http-api';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import {
  addressesToRegister,
  AlertService,
  type Alert,
  ProviderHealthService,
  ProviderRegistry,
  WebhookEventList,
  type ConnectionHealth,
  type ProviderHealth,
  type QueueState,
} from '../../integrations';
import { page, pill } from '../layout';
import { PageRoute } from '../page-route.decorators';
import { table } from '../table';
import { duration, timeTag } from '../time-tag';
import { adminNotice } from './admin-notices';
import { alertTable } from './alert-table';
import { connectionHealthCell, providerHealthCell } from './health-cell';
import { statusPill } from './status-words';

const MOST_ALERTS = 10;
/** So many are counted beside the providers' states. */
const MOST_COUNTED_ALERTS = 200;
const MOST_CONNECTIONS = 100;

/** How everything is, at a glance. */
@Roles('admin')
@Controller('admin')
export class OverviewPageController {
  constructor(
    private readonly health: ProviderHealthService,
    private readonly alerts: AlertService,
    private readonly events: WebhookEventList,
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
    const [providers, open, queue] = await Promise.all([
      this.health.all(tenant),
      this.alerts.list({ tenant, state: 'open', limit: MOST_COUNTED_ALERTS }),
      this.events.queue(tenant),
    ]);
    const nowMs = this.clock.now();
    const body = html`${adminNotice(this.news.take(request, reply, caller))}
      <h2>Providers, last 24 hours</h2>
      ${this.healthTable(providers, open, nowMs)}
      <h2>Open alerts</h2>
      ${alertTable(open.slice(0, MOST_ALERTS), { nowMs, csrfToken: caller.csrfToken, empty: 'No alert is open.', back: '/admin' })}
      ${open.length > MOST_ALERTS && html`<p><a href="/admin/alerts?state=open">All open alerts</a></p>`}
      <h2>Queue of webhook events</h2>
      ${queueTable(queue)}`;
    return page({ title: 'Overview', caller, path: '/admin', body });
  }

  @PageRoute('providers/:provider')
  async provider(@CurrentUser() caller: SessionPrincipal, @Param('provider') key: string): Promise<string> {
    const tenant = visibleTenant(caller);
    const health = await this.health.one(key, tenant);
    const connections = await this.health.connections(key, tenant, MOST_CONNECTIONS);
    const open = await this.alerts.list({ tenant, state: 'open', limit: MOST_COUNTED_ALERTS });
    const nowMs = this.clock.now();
    const body = html`${this.healthTable([health], open, nowMs)}
      <h2>Connections, those with the most failures first</h2>
      ${connectionTable(connections, nowMs)}
      <h2>Addresses to register at the provider</h2>
      ${addressTable(addressesToRegister(this.registry.get(key), this.settings.publicUrl))}`;
    return page({ title: this.registry.get(key).name, caller, path: '/admin', body });
  }

  private healthTable(providers: readonly ProviderHealth[], open: readonly Alert[], nowMs: number): Html {
    const rows = providers.map((health) => {
      const provider = this.registry.get(health.provider);
      return [
        html`<a href="/admin/providers/${health.provider}">${provider.name}</a> ${!provider.configured && pill('soft', 'Not configured')}`,
        providerHealthCell(health, open.filter((alert) => alert.provider === health.provider).length),
        rate(health.errorRate24h),
        health.requests24h.toLocaleString('en'),
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

function connectionTable(connections: readonly ConnectionHealth[], nowMs: number): Html {
  const rows = connections.map((row) => [
    html`<div class="wide">${row.accountName}</div>`,
    row.userId ?? 'The organization',
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
  ].flatMap(([what, address]) => (address === undefined ? [] : [[what, html`<code>${address}</code>`]]));
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
