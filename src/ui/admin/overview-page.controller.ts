import { Controller, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { BrowserNews, CurrentUser, type EdgeRequest, html, Roles, visibleTenant, type Html, type SessionPrincipal } from '../../http-api';
import {
  AlertService,
  CurrentTraffic,
  EventSums,
  ProviderHealthService,
  ProviderRegistry,
  type ProviderHealth,
  type QueueState,
} from '../../integrations';
import { count } from '../counted';
import { page } from '../layout';
import { liveRegion } from '../live/live-region';
import { PageRoute } from '../page-route.decorators';
import { table } from '../table';
import { duration } from '../time-tag';
import { adminNotice } from './admin-notices';
import { dayTable } from './day-table';
import { alertTable } from './alert-table';
import { ProviderCircumstances } from './provider-circumstances';
import { verdict } from './verdict';

const MOST_ALERTS = 10;

/** How everything is, at a glance. */
@Roles('admin')
@Controller('admin')
export class OverviewPageController {
  constructor(
    private readonly health: ProviderHealthService,
    private readonly alerts: AlertService,
    private readonly sums: EventSums,
    private readonly traffic: CurrentTraffic,
    private readonly registry: ProviderRegistry,
    private readonly news: BrowserNews,
    private readonly around: ProviderCircumstances,
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
      this.sums.queue(tenant),
      this.traffic.failing(tenant),
      this.around.of(tenant),
    ]);
    const { nowMs, alerts, events, figures } = around;
    const waiting = await this.around.waitingRuns(
      tenant,
      failing.map(({ provider }) => provider),
    );
    const shown = all.filter((each) => this.registry.get(each.provider).configured || isInUse(each));
    const open = alerts.reduce((sum, each) => sum + each.open, 0);
    const nameOf = (key: string) => this.registry.nameOf(key);
    const notice = adminNotice(this.news.take(request, reply, caller));
    const content = html`${verdict({ providers: failing, waiting, health: all, events, alerts, nameOf, nowMs })}
      <h2>The last 24 hours</h2>
      ${dayTable(figures)}
      <h2>Providers, last 24 hours</h2>
      ${this.around.healthTable(shown, around)}
      ${all.length > shown.length && html`<p class="soft">${(all.length - shown.length).toLocaleString('en')} more are not set up here.</p>`}
      <h2>Open alerts: ${open.toLocaleString('en')}</h2>
      ${alertTable(newest, { nowMs, caller, nameOf, empty: 'No alert is open.', back: '/admin' })}
      ${open > MOST_ALERTS && html`<p><a href="/admin/alerts?state=open">All open alerts</a></p>`}
      <h2>Queue of webhook events</h2>
      ${queueTable(queue)}`;
    return page({ title: 'Overview', caller, path: '/admin', body: html`${notice} ${liveRegion('overview', content)}` });
  }
}

function isInUse({ requests24h, connections }: ProviderHealth): boolean {
  return requests24h > 0 || connections.connected > 0 || connections.needsReauth > 0;
}

function queueTable({ oldestAgeSeconds, atLeast, ...queue }: QueueState): Html {
  const figure = (name: keyof typeof queue) => count(queue[name], atLeast.includes(name));
  const oldest =
    oldestAgeSeconds === null ? '–' : `${duration(oldestAgeSeconds * 1_000)}${atLeast.includes('oldestAgeSeconds') ? ' or more' : ''}`;
  const deadCell = queue.dead === 0 ? '0' : html`<a class="bad" href="/admin/webhook-events?status=dead">${figure('dead')}</a>`;
  const row = [figure('depth'), oldest, figure('inFlight'), figure('retrying'), deadCell];
  return table('Queue of webhook events', ['Waiting', 'Oldest due for', 'In flight', 'To be retried', 'Dead'], [row], '');
}
