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
import { ERROR_KINDS } from '../../errors';
import { ConnectionRepository, ProviderRegistry, SyncService, type SyncRun } from '../../integrations';
import { confirmPage } from '../confirm-page';
import { actionForm } from '../form';
import { page } from '../layout';
import { liveRegion } from '../live/live-region';
import { FormRoute, PageRoute } from '../page-route.decorators';
import { nextPage, table } from '../table';
import { duration, timeTag } from '../time-tag';
import { adminNews, adminNotice } from './admin-notices';
import { cursorOf, filterId, filterOf, filterText, PAGE_ROWS, readFilters, whoseFields, withoutCursor } from './list-query';
import { FilterFields } from './filter-fields';
import { statusPill } from './status-words';

const PATH = '/admin/sync-runs';
const STATUSES = [
  { value: 'queued', label: 'Queued' },
  { value: 'running', label: 'Running' },
  { value: 'succeeded', label: 'Succeeded' },
  { value: 'failed', label: 'Failed' },
  { value: 'cancelled', label: 'Cancelled' },
  { value: 'paused', label: 'Waits for you' },
] as const;
const QUESTION =
  'Many of the records are missing at the provider. The affected parts are read again first; what is still missing then is removed here. Go on?';

const TYPES = [
  { value: 'full', label: 'Full' },
  { value: 'incremental', label: 'Incremental' },
] as const;
const TRIGGERS: Readonly<Record<SyncRun['trigger'], string>> = {
  schedule: 'the clock',
  manual: 'hand',
  webhook: 'an event',
  connect: 'connecting',
};

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
    const body = html`${top} ${liveRegion('sync-runs', runTable(rows, this.clock.now(), caller.csrfToken))}
    ${nextPage(PATH, withoutCursor(filters), nextCursor)}`;
    return page({ title: 'Sync runs', caller, path: PATH, body });
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
          question: QUESTION,
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

function runTable(runs: readonly SyncRun[], nowMs: number, csrfToken: string): Html {
  const rows = runs.map((run) => [
    timeTag(run.createdAt, nowMs),
    run.provider,
    html`<a href="${PATH}?connection=${run.connectionId}" title="${run.connectionId}">…${run.connectionId.slice(-6)}</a>`,
    `${run.type}, by ${TRIGGERS[run.trigger]}`,
    statusPill(run.status),
    run.total === null
      ? run.counts.fetched.toLocaleString('en')
      : `${run.counts.fetched.toLocaleString('en')} of ${Math.max(run.total, run.counts.fetched).toLocaleString('en')}`,
    changesOf(run),
    run.startedAt ? duration((run.finishedAt?.getTime() ?? nowMs) - run.startedAt.getTime()) : '–',
    html`<div class="wide">
      ${run.error && `${run.error.message} ${ERROR_KINDS[run.error.code].nextStep}`}
      ${run.status === 'paused' && actionForm({ to: `${PATH}/${run.id}/confirm`, label: 'Confirm', about: 'the removal', csrfToken, id: `confirm-${run.id}`, question: QUESTION })}
    </div>`,
  ]);
  return table(
    'Sync runs',
    ['Asked for', 'Provider', 'Connection', 'Kind', 'Status', 'Fetched', 'Changes', 'Took', 'Error'],
    rows,
    'No run matches.',
  );
}

/** What came of it, as far as something did. */
function changesOf({ counts }: SyncRun): string {
  const kinds = ['created', 'updated', 'deleted'] as const;
  const changes = kinds.filter((kind) => counts[kind] > 0).map((kind) => `${counts[kind].toLocaleString('en')} ${kind}`);
  return changes.length === 0 ? 'None' : changes.join(', ');
}
