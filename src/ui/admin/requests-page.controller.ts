import { Controller } from '@nestjs/common';
import { CurrentUser, IdParam, Roles, visibleTenant, type SessionPrincipal, byTime } from '../../http-api';
import { IntegrationError } from '../../errors';
import { ConnectionRepository, ProviderRegistry, RequestLogReader } from '../../integrations';
import { page } from '../layout';
import { PageRoute } from '../page-route.decorators';
import { REQUESTS_PATH as PATH } from './admin-links';
import { ListPages } from './list-pages';
import { cursorOf, filterId, filterOf, filterText, whoseFields } from './list-query';
import { Visit, type PageVisit } from './page-visit';
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
const OUTCOME_CHOICES = OUTCOMES.map((value) => ({ value, label: value.replaceAll('_', ' ') }));

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
    private readonly lists: ListPages,
    private readonly log: RequestLogReader,
    private readonly registry: ProviderRegistry,
    private readonly connections: ConnectionRepository,
  ) {}

  @PageRoute()
  show(@Visit() visit: PageVisit): Promise<string> {
    const providers = this.registry.offered().map(({ key, name }) => ({ value: key, label: name }));
    return this.lists.show(
      {
        title: 'Requests',
        path: PATH,
        topic: 'requests',
        shape: listShape,
        fields: (form) =>
          form
            .select('provider', 'Provider', providers)
            .select('outcome', 'Outcome', OUTCOME_CHOICES)
            .text('operation', 'Operation')
            .text('connection', 'Connection')
            .whose(),
        read: async ({ cursor: before, userId, account, ...asked }, limit, { tenant }) => {
          const connections = await this.connections.idsOf(tenant, { userId, account });
          return this.log.list({ ...asked, tenant, connections, before, limit });
        },
        position: ({ at, id }) => ({ at, id }),
        table: requestTable,
      },
      visit,
    );
  }

  @PageRoute(':id')
  async one(@CurrentUser() caller: SessionPrincipal, @IdParam('id', 'not_found') id: string): Promise<string> {
    const [request] = await this.log.list({ id, tenant: visibleTenant(caller), limit: 1 });
    if (!request) throw new IntegrationError('not_found', { detail: 'There is no such request, or its time is over.' });
    return page({ title: 'Request', caller, path: PATH, body: requestFacts(request, this.lists.viewFor(caller)) });
  }
}
