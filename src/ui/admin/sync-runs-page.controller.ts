import { Controller, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { BrowserNews, CurrentUser, IdParam, Roles, visibleTenant, ZodBody, type SessionPrincipal, byTime } from '../../http-api';
import { IntegrationError } from '../../errors';
import { ConnectionRepository, ProviderRegistry, SyncService, type SyncRun } from '../../integrations';
import { confirmPage } from '../confirm-page';
import { page } from '../layout';
import { FormRoute, PageRoute } from '../page-route.decorators';
import { RUNS_PATH as PATH } from './admin-links';
import { adminNews } from './admin-notices';
import { ListPages } from './list-pages';
import { cursorOf, filterId, filterOf, filterText, whoseFields } from './list-query';
import { Visit, type PageVisit } from './page-visit';
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
const TRIGGER_CHOICES = Object.entries(TRIGGERS).map(([value, words]) => ({ value, label: `By ${words}` }));

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
    private readonly lists: ListPages,
    private readonly syncs: SyncService,
    private readonly registry: ProviderRegistry,
    private readonly connections: ConnectionRepository,
    private readonly news: BrowserNews,
  ) {}

  @PageRoute()
  show(@Visit() visit: PageVisit): Promise<string> {
    const providers = this.registry.offered().map(({ key, name }) => ({ value: key, label: name }));
    return this.lists.show(
      {
        title: 'Sync runs',
        path: PATH,
        topic: 'sync-runs',
        shape: listShape,
        fields: (form) =>
          form
            .select('provider', 'Provider', providers)
            .select('status', 'Status', STATUSES)
            .select('type', 'Kind', TYPES)
            .select('trigger', 'Asked for', TRIGGER_CHOICES)
            .text('connection', 'Connection')
            .whose(),
        read: async ({ cursor: before, connection: connectionId, userId, account, ...asked }, limit, { tenant }) => {
          const connectionIds = await this.connections.idsOf(tenant, { userId, account });
          return this.syncs.list({ ...asked, tenant, connectionId, connectionIds, before, limit });
        },
        position: ({ createdAt, id }: SyncRun) => ({ at: createdAt.toISOString(), id }),
        table: runTable,
      },
      visit,
    );
  }

  @PageRoute(':id')
  async one(@CurrentUser() caller: SessionPrincipal, @IdParam('id', 'not_found') id: string): Promise<string> {
    const [run] = await this.syncs.list({ id, tenant: visibleTenant(caller), limit: 1 });
    if (!run) throw new IntegrationError('not_found', { detail: 'There is no such run.' });
    return page({ title: 'Sync run', caller, path: PATH, body: runFacts(run, this.lists.viewFor(caller)) });
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
