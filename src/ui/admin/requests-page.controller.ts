import { Controller, Inject, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CurrentUser, html, IdParam, Roles, visibleTenant, type Html, type SessionPrincipal, byTime, pageFrom } from '../../http-api';
import { IntegrationError } from '../../errors';
import { CLOCK, type Clock } from '../../clock';
import { ConnectionRepository, ProviderRegistry, RequestLogReader } from '../../integrations';
import { page } from '../layout';
import { liveRegion } from '../live/live-region';
import { PageRoute } from '../page-route.decorators';
import { nextPage } from '../table';
import { REQUESTS_PATH as PATH } from './admin-links';
import { cursorOf, filterId, filterOf, filterText, PAGE_ROWS, readFilters, whoseFields, withoutCursor } from './list-query';
import { FilterFields } from './filter-fields';
import { requestFacts, requestTable } from './request-views';

const OUTCOMES = [
  'ok',
  'rejected',
  'unauthorized',
  'rate_limited',
  'server_error',
  'network_error',
  'timeout',
  'bad_answer',
  'cancelled',
  'not_sent',
] as const;

const listShape = {
  provider: filterText,
  connection: filterId,
  outcome: filterOf(OUTCOMES),
  operation: filterText,
  ...whoseFields,
  cursor: cursorOf(byTime),
};

/** Every try of a call to a provider: never a token, a body or a query. */
@Roles('admin')
@Controller('admin/requests')
export class RequestsPageController {
  constructor(
    private readonly log: RequestLogReader,
    private readonly registry: ProviderRegistry,
    private readonly connections: ConnectionRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @PageRoute()
  async show(
    @CurrentUser() caller: SessionPrincipal,
    @Query() query: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const filters = readFilters(listShape, query);
    const form = this.form(filters);
    if (!filters.values) {
      void reply.status(400);
      return page({ title: 'Requests', caller, path: PATH, body: form });
    }
    const { cursor, userId, account, ...asked } = filters.values;
    const tenant = visibleTenant(caller);
    const connections = await this.connections.idsOf(tenant, { userId, account });
    const found = await this.log.list({ ...asked, tenant, connections, before: cursor, limit: PAGE_ROWS + 1 });
    const { data: rows, nextCursor } = pageFrom(found, PAGE_ROWS, ({ at, id }) => ({ at, id }));
    const body = html`${form} ${liveRegion('requests', requestTable(rows, { nowMs: this.clock.now(), caller }))}
    ${nextPage(PATH, withoutCursor(filters), nextCursor)}`;
    return page({ title: 'Requests', caller, path: PATH, body });
  }

  @PageRoute(':id')
  async one(@CurrentUser() caller: SessionPrincipal, @IdParam('id', 'not_found') id: string): Promise<string> {
    const [request] = await this.log.list({ id, tenant: visibleTenant(caller), limit: 1 });
    if (!request) throw new IntegrationError('not_found', { detail: 'There is no such request, or its time is over.' });
    return page({ title: 'Request', caller, path: PATH, body: requestFacts(request, { nowMs: this.clock.now(), caller }) });
  }

  private form(filters: ReturnType<typeof readFilters>): Html {
    const providers = this.registry.offered().map(({ key, name }) => ({ value: key, label: name }));
    const outcomes = OUTCOMES.map((value) => ({ value, label: value.replaceAll('_', ' ') }));
    return new FilterFields(filters)
      .select('provider', 'Provider', providers)
      .select('outcome', 'Outcome', outcomes)
      .text('operation', 'Operation')
      .text('connection', 'Connection')
      .whose()
      .form(PATH);
  }
}
