import { Controller, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import {
  BrowserNews,
  CurrentUser,
  html,
  Roles,
  visibleTenant,
  ZodBody,
  type EdgeRequest,
  type Html,
  type SessionPrincipal,
} from '../../http-api';
import { CLOCK, type Clock } from '../../clock';
import { FailedEvents, WebhookReplay, type FailedEventGroup } from '../../integrations';
import { confirmPage } from '../confirm-page';
import { actionForm } from '../form';
import { page } from '../layout';
import { liveRegion } from '../live/live-region';
import { FormRoute, PageRoute } from '../page-route.decorators';
import { table } from '../table';
import { timeTag } from '../time-tag';
import { EVENTS_PATH, FAILED_EVENTS_PATH as PATH } from './admin-links';
import { adminNews, adminNotice } from './admin-notices';
import { PAGE_ROWS } from './list-query';

const text = z.string().max(600);
const replayForm = z.strictObject({ provider: text, type: text, error: text, confirmed: z.literal('yes').optional() });

/** What fails in the handlers of events, by kind and error, and all of a group again. */
@Roles('admin')
@Controller('admin/failed-events')
export class FailedEventsPageController {
  constructor(
    private readonly failed: FailedEvents,
    private readonly replays: WebhookReplay,
    private readonly news: BrowserNews,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @PageRoute()
  async show(
    @CurrentUser() caller: SessionPrincipal,
    @Req() request: EdgeRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const groups = await this.failed.groups(visibleTenant(caller), PAGE_ROWS);
    const notice = adminNotice(this.news.take(request, reply, caller));
    const body = html`${notice}
      <p><a href="${EVENTS_PATH}">All webhook events</a></p>
      ${liveRegion('failed-events', groupTable(groups, this.clock.now(), caller))}
      ${groups.length === PAGE_ROWS && html`<p class="soft">The largest ${PAGE_ROWS} groups are shown.</p>`}`;
    return page({ title: 'Failed events', caller, path: EVENTS_PATH, body });
  }

  /** First how many it would be, then, when that is confirmed, all of them. */
  @FormRoute('replay')
  async replay(
    @CurrentUser() caller: SessionPrincipal,
    @ZodBody(replayForm) { confirmed, ...group }: z.infer<typeof replayForm>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const actor = { tenant: visibleTenant(caller), name: `${caller.tenant}/${caller.userId}` };
    const { matched } = await this.replays.many({ ...group, typeIsExact: true }, actor, confirmed === undefined);
    if (matched === 0 || confirmed) {
      this.news.tell(reply, caller, adminNews(matched === 0 ? 'nothing-to-replay' : 'replayed-all'));
      return void (await reply.redirect(PATH, 303));
    }
    const count = matched === 1 ? '1 event' : `${matched.toLocaleString('en')} events`;
    const question = `${count} of ${group.provider}, ${group.type}, failed so: “${group.error}”. Process ${matched === 1 ? 'it' : 'them'} again?`;
    await reply.send(
      confirmPage({
        title: 'Replay',
        question,
        to: `${PATH}/replay`,
        label: 'Replay',
        fields: group,
        back: PATH,
        path: EVENTS_PATH,
        caller,
      }),
    );
  }
}

function groupTable(groups: readonly FailedEventGroup[], nowMs: number, { csrfToken }: SessionPrincipal): Html {
  const rows = groups.map((group, index) => [
    html`<span class="name">${group.provider}: ${group.type}</span>`,
    html`<span class="name">${group.handlers.join(', ') || 'Nobody'}</span>`,
    html`<div class="wide">
      <a href="${EVENTS_PATH}/${group.exampleId}">${group.error ?? 'An unknown error'}</a>
      ${group.errorCode && html`<br /><code>${group.errorCode}</code>`}
    </div>`,
    group.dead.toLocaleString('en'),
    group.retrying.toLocaleString('en'),
    `${counted(group.tenants, 'organization')}, ${counted(group.connections, 'connection')}`,
    timeTag(group.since, nowMs),
    timeTag(group.last, nowMs),
    group.error !== null &&
      actionForm({
        to: `${PATH}/replay`,
        label: 'Replay…',
        about: `${group.provider}, ${group.type}`,
        csrfToken,
        id: `replay-${index}`,
        fields: { provider: group.provider, type: group.type, error: group.error },
      }),
  ]);
  const headings = ['Kind', 'Handlers', 'Error', 'Given up', 'Tried again', 'Whom', 'Oldest', 'Newest', 'Replay'];
  return table('Failed events', headings, rows, 'No event fails in its handlers.');
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
}
