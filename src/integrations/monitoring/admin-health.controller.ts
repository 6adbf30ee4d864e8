import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import {
  Answer,
  pageOf,
  CurrentUser,
  cursor,
  IdParam,
  limit,
  paged,
  Roles,
  visibleTenant,
  ZodQuery,
  type Principal,
  SupportMayRead,
  byTime,
  pageFrom,
  positionOf,
} from '../../http-api';
import { ConnectionRepository } from '../connections';
import { AlertService, type Alert } from './alert.service';
import { ProviderHealthService } from './provider-health.service';
import { RequestLogReader } from '../outbound';
import { DayFiguresService } from './day-figures.service';
import { alertAnswer, connectionHealthAnswer, dayFiguresAnswer, loggedRequestAnswer, providerHealthAnswer } from './monitoring-answers';

const text = z.string().min(1).max(255).optional();
const requestsQuery = z.strictObject({
  provider: z.string().max(64).optional(),
  connection: z.guid().optional(),
  outcome: z.string().max(64).optional(),
  operation: text,
  userId: text,
  account: text,
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
  limit,
  cursor,
});
const alertsQuery = z.strictObject({ state: z.enum(['open', 'acknowledged', 'resolved']).optional(), limit, cursor });
const connectionsQuery = z.strictObject({ limit });

/** What administrators watch: health, the request log, alerts. */
@Controller('v1/admin')
@SupportMayRead()
@Roles('admin')
export class AdminHealthController {
  constructor(
    private readonly health: ProviderHealthService,
    private readonly figures: DayFiguresService,
    private readonly requestLog: RequestLogReader,
    private readonly alerts: AlertService,
    private readonly owned: ConnectionRepository,
  ) {}

  @Answer(pageOf(providerHealthAnswer))
  @Get('health')
  async all(@CurrentUser() caller: Principal) {
    return paged(await this.health.all(visibleTenant(caller)));
  }

  @Answer(providerHealthAnswer)
  @Get('health/:provider')
  one(@CurrentUser() caller: Principal, @Param('provider') provider: string) {
    return this.health.one(provider, visibleTenant(caller));
  }

  @Answer(pageOf(connectionHealthAnswer))
  @Get('health/:provider/connections')
  async connections(
    @CurrentUser() caller: Principal,
    @Param('provider') provider: string,
    @ZodQuery(connectionsQuery) query: z.infer<typeof connectionsQuery>,
  ) {
    return paged(await this.health.connections(provider, visibleTenant(caller), query.limit));
  }

  /** What the sparklines of the overview are drawn from. */
  @Answer(dayFiguresAnswer)
  @Get('figures')
  dayFigures(@CurrentUser() caller: Principal) {
    return this.figures.of(visibleTenant(caller));
  }

  @Answer(pageOf(loggedRequestAnswer))
  @Get('requests')
  async requests(@CurrentUser() caller: Principal, @ZodQuery(requestsQuery) query: z.infer<typeof requestsQuery>) {
    const before = positionOf(query.cursor, byTime);
    const tenant = visibleTenant(caller);
    const connections = await this.owned.idsOf(tenant, query);
    const found = await this.requestLog.list({ ...query, connections, tenant, before, limit: query.limit + 1 });
    return pageFrom(found, query.limit, ({ at, id }) => ({ at, id }));
  }

  @Answer(pageOf(alertAnswer))
  @Get('alerts')
  async listAlerts(@CurrentUser() caller: Principal, @ZodQuery(alertsQuery) query: z.infer<typeof alertsQuery>) {
    const before = positionOf(query.cursor, byTime);
    const found = await this.alerts.list({ ...query, tenant: visibleTenant(caller), before, limit: query.limit + 1 });
    return pageFrom(found, query.limit, ({ openedAt: at, id }) => ({ at, id }));
  }

  @Answer(alertAnswer)
  @Post('alerts/:id/acknowledge')
  @HttpCode(200)
  acknowledge(@CurrentUser() caller: Principal, @IdParam('id', 'not_found') id: string): Promise<Alert> {
    return this.alerts.acknowledge(id, { tenant: visibleTenant(caller), userId: caller.userId });
  }
}
