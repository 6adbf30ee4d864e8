import { Controller, Inject } from '@nestjs/common';
import { z } from 'zod';
import {
  CurrentUser,
  html,
  Roles,
  visibleTenant,
  ZodQuery,
  type Html,
  type SessionPrincipal,
  byTime,
  pageFrom,
  positionOf,
} from '../../http-api';
import { CLOCK, type Clock } from '../../clock';
import { ProviderRegistry, RequestLogReader, type LoggedRequest } from '../../integrations';
import { filterForm, select, textField } from '../form';
import { page } from '../layout';
import { PageRoute } from '../page-route.decorators';
import { nextPage, table } from '../table';
import { duration, timeTag } from '../time-tag';
import { filterId, filterText, PAGE_ROWS, pageFields } from './list-query';
import { statusPill } from './status-words';

const PATH = '/admin/requests';
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
].map((value) => ({ value, label: value.replaceAll('_', ' ') }));

const query = z.strictObject({ provider: filterText, connection: filterId, outcome: filterText, ...pageFields });

/** Every try of a call to a provider: never a token, a body or a query. */
@Roles('admin')
@Controller('admin/requests')
export class RequestsPageController {
  constructor(
    private readonly log: RequestLogReader,
    private readonly registry: ProviderRegistry,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @PageRoute()
  async show(
    @CurrentUser() caller: SessionPrincipal,
    @ZodQuery(query) { provider, connection, outcome, cursor }: z.infer<typeof query>,
  ): Promise<string> {
    const found = await this.log.list({
      tenant: visibleTenant(caller),
      provider,
      connection,
      outcome,
      before: positionOf(cursor, byTime),
      limit: PAGE_ROWS + 1,
    });
    const { data: rows, nextCursor } = pageFrom(found, PAGE_ROWS, ({ at, id }) => ({ at, id }));
    const providers = this.registry.offered().map(({ key, name }) => ({ value: key, label: name }));
    const fields = [
      select('provider', 'Provider', providers, provider),
      select('outcome', 'Outcome', OUTCOMES, outcome),
      textField('connection', 'Connection', connection),
    ];
    const body = html`${filterForm(PATH, fields)} ${requestTable(rows, this.clock.now())}
    ${nextPage(PATH, { provider, connection, outcome }, nextCursor)}`;
    return page({ title: 'Requests', caller, path: PATH, body });
  }
}

function requestTable(requests: readonly LoggedRequest[], nowMs: number): Html {
  const rows = requests.map((request) => [
    timeTag(request.at, nowMs),
    request.provider,
    request.connectionId &&
      html`<a href="${PATH}?connection=${request.connectionId}" title="${request.connectionId}">…${request.connectionId.slice(-6)}</a>`,
    html`<div class="wide"><code>${request.method} ${request.endpoint}</code><br /><span class="soft">${request.operation}</span></div>`,
    request.status ?? '–',
    statusPill(request.outcome),
    request.errorCode && html`<code>${request.providerCode ?? request.errorCode}</code>`,
    request.attempt,
    duration(request.durationMs),
  ]);
  const headings = ['At', 'Provider', 'Connection', 'Call', 'Status', 'Outcome', 'Error', 'Try', 'Took'];
  return table('Requests to the providers', headings, rows, 'No request matches.');
}
