import { Controller, Inject, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import {
  BrowserNews,
  CurrentUser,
  type EdgeRequest,
  html,
  IdParam,
  Roles,
  visibleTenant,
  ZodBody,
  type Html,
  type SessionPrincipal,
  byTime,
  pageFrom,
} from '../../http-api';
import { CLOCK, type Clock } from '../../clock';
import { IntegrationError } from '../../errors';
import { ConnectionRepository, ProviderRegistry, SyncService, type SyncRun } from '../../integrations';
import { confirmPage } from '../confirm-page';
import { page } from '../layout';
import { liveRegion } from '../live/live-region';
import { FormRoute, PageRoute } from '../page-route.decorators';
import { nextPage } from '../table';
import { RUNS_PATH as PATH } from './admin-links';
import { adminNews, adminNotice } from './admin-notices';
import { cursorOf, filterId, filterOf, filterText, PAGE_ROWS, readFilters, whoseFields, withoutCursor } from './list-query';
import { FilterFields } from './filter-fields';
import { REMOVAL_QUESTION, runFacts, runTable, TRIGGERS } from './sync-run-views';

const STATUSES = [
  { value: 'queued', label: 'Queued' },
  { value: 'running', label: 'Running' },
  { value: 'succeeded', label: 'Succeeded' },
  { value: 'failed', label: 'Failed' },
  { value: 'cancelled', label: 'Cancelled' },
  { value: 'paused', label: 'Waits for you' },
] as const;
const TYPES = [
  { value: 'full', label: 'Full' },
  { value: 'incremental', label: 'Incremental' },
] as const;

const listShape = {
  provider: filterText,
  connection: filterId,
  status: filterOf(STATUSES.map(({ value }) => value)),
  type: filterOf(TYPES.map(({ value }) => value)),
  trigger: filterOf(Object.keys(TRIGGERS) as SyncRun['trigger'][]),
  ...whoseFields,
  cursor: cursorOf(byTime),
};
const confirmation = z.strictObject({ confirmed: z.literal('yes').optional() });

@Roles('admin')
@Controller('admin/sync-runs')
export class SyncRunsPageController {
  constructor(
    private readonly syncs: SyncService,
    private readonly registry: ProviderRegistry,
    private readonly connections: ConnectionRepository,
    private readonly news: BrowserNews,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @PageRoute()
  async show(
    @CurrentUser() caller: SessionPrincipal,
    @Query() query: unknown,
    @Req() request: EdgeRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const filters = readFilters(listShape, query);
    const top = html`${adminNotice(this.news.take(request, reply, caller))} ${this.form(filters)}`;
    if (!filters.values) {
      void reply.status(400);
      return page({ title: 'Sync runs', caller, path: PATH, body: top });
    }
    const { cursor, connection, userId, account, ...asked } = filters.values;
    const tenant = visibleTenant(caller);
    const connectionIds = await this.connections.idsOf(tenant, { userId, account });
    const filter = { ...asked, tenant, connectionId: connection, connectionIds, before: cursor, limit: PAGE_ROWS + 1 };
    const end = ({ createdAt, id }: SyncRun) => ({ at: createdAt.toISOString(), id });
    const { data: rows, nextCursor } = pageFrom(await this.syncs.list(filter), PAGE_ROWS, end);
    const body = html`${top} ${liveRegion('sync-runs', runTable(rows, { nowMs: this.clock.now(), caller }))}
    ${nextPage(PATH, withoutCursor(filters), nextCursor)}`;
    return page({ title: 'Sync runs', caller, path: PATH, body });
  }

  @PageRoute(':id')
  async one(@CurrentUser() caller: SessionPrincipal, @IdParam('id', 'not_found') id: string): Promise<string> {
    const [run] = await this.syncs.list({ id, tenant: visibleTenant(caller), limit: 1 });
    if (!run) throw new IntegrationError('not_found', { detail: 'There is no such run.' });
    return page({ title: 'Sync run', caller, path: PATH, body: runFacts(run, { nowMs: this.clock.now(), caller }) });
  }

  private form(filters: ReturnType<typeof readFilters>): Html {
    const providers = this.registry.offered().map(({ key, name }) => ({ value: key, label: name }));
    const triggers = Object.entries(TRIGGERS).map(([value, words]) => ({ value, label: `By ${words}` }));
    return new FilterFields(filters)
      .select('provider', 'Provider', providers)
      .select('status', 'Status', STATUSES)
      .select('type', 'Kind', TYPES)
      .select('trigger', 'Asked for', triggers)
      .text('connection', 'Connection')
      .whose()
      .form(PATH);
  }

  @FormRoute(':id/confirm')
  async confirm(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam('id', 'not_found') id: string,
    @ZodBody(confirmation) { confirmed }: z.infer<typeof confirmation>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (!confirmed) {
      await reply.send(
        confirmPage({
          title: 'Confirm the removal',
          question: REMOVAL_QUESTION,
          to: `${PATH}/${id}/confirm`,
          label: 'Go on',
          back: PATH,
          path: PATH,
          caller,
        }),
      );
      return;
    }
    await this.syncs.confirm(id, visibleTenant(caller));
    this.news.tell(reply, caller, adminNews('confirmed'));
    await reply.redirect(PATH, 303);
  }
}
