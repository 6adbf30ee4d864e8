import { Controller, Req, Res } from '@nestjs/common';
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
import { IntegrationError } from '../../errors';
import { EventFilters, eventGroup, EventSums, replayActorOf, ReplayRuns, WebhookReplay, type EventFilter } from '../../integrations';
import { confirmPage } from '../confirm-page';
import { hiddenFields } from '../form';
import { page } from '../layout';
import { liveRegion } from '../live/live-region';
import { FormRoute, PageRoute } from '../page-route.decorators';
import { EVENTS_PATH, FAILED_EVENTS_PATH as PATH, REPLAYS_PATH, type ViewContext } from './admin-links';
import { adminNews, adminNotice } from './admin-notices';
import { failedGroupTable, replayForms } from './failed-event-views';
import { ListPages } from './list-pages';
import { filterId, filterText, filterTime, PAGE_ROWS } from './list-query';
import { filterWords } from './replay-views';

const error = z
  .string()
  .max(2_000)
  .optional()
  .transform((text) => text || undefined);
const group = z.string().max(4_000);
const replayForm = z.strictObject({
  provider: filterText,
  type: filterText,
  handler: filterText,
  connectionId: filterId,
  error,
  from: filterTime,
  to: filterTime,
  /** As the boxes of the table have them. */
  group: z.union([group, z.array(group).max(100)]).optional(),
  all: z.literal('yes').optional(),
  confirmed: z.literal('yes').optional(),
});
type ReplayForm = z.infer<typeof replayForm>;

/** What fails in the handlers of events, by kind and error; and again, what was ticked, what has something in common, or all. */
@Roles('admin')
@Controller('admin/failed-events')
export class FailedEventsPageController {
  constructor(
    private readonly sums: EventSums,
    private readonly replays: WebhookReplay,
    private readonly runs: ReplayRuns,
    private readonly filters: EventFilters,
    private readonly lists: ListPages,
    private readonly news: BrowserNews,
  ) {}

  @PageRoute()
  async show(
    @CurrentUser() caller: SessionPrincipal,
    @Req() request: EdgeRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const groups = await this.sums.failedGroups(visibleTenant(caller), PAGE_ROWS);
    const notice = adminNotice(this.news.take(request, reply, caller));
    const context = this.lists.viewFor(caller);
    const body = html`${notice}
      <p><a href="${EVENTS_PATH}">All webhook events</a> · <a href="${REPLAYS_PATH}">Replays</a></p>
      ${liveRegion('failed-events', failedGroupTable(groups, context))}
      ${groups.length === PAGE_ROWS && html`<p class="soft">The largest ${PAGE_ROWS} groups are shown.</p>`}
      ${groups.some(({ atLeast }) => atLeast.length > 0) && html`<p class="soft">Of a kind of which very many failed the newest are counted.</p>`}
      ${groups.length > 0 && replayForms(groups, context)}`;
    return page({ title: 'Failed events', caller, path: EVENTS_PATH, body });
  }

  /** First how many it would be, then, when that is confirmed, a run of all of them. */
  @FormRoute('replay')
  async replay(
    @CurrentUser() caller: SessionPrincipal,
    @ZodBody(replayForm) { confirmed, ...form }: ReplayForm,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const actor = replayActorOf(caller);
    const asked = await this.filterOf(form, actor.tenant);
    const matched = asked && (await this.replays.many(asked, actor, true)).matched;
    if (!asked || !matched || confirmed) {
      this.news.tell(reply, caller, adminNews(!asked ? 'nothing-chosen' : !matched ? 'nothing-to-replay' : 'replayed-all'));
      const to = asked && matched ? `${REPLAYS_PATH}/${(await this.runs.start(asked, actor)).id}` : PATH;
      return void (await reply.redirect(to, 303));
    }
    const { group: boxes, ...fields } = form;
    await reply.send(
      confirmPage({
        title: 'Replay',
        question: question(matched, asked, this.lists.viewFor(caller)),
        to: `${PATH}/replay`,
        label: 'Replay',
        fields: Object.fromEntries(Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined)),
        asked: html`${[boxes ?? []].flat().map((value) => hiddenFields({ group: value }))}` satisfies Html,
        back: PATH,
        path: EVENTS_PATH,
        caller,
      }),
    );
  }

  /** Undefined where nothing was chosen: all is chosen by its own button alone. */
  private async filterOf(
    { group: boxes, from, to, all, ...fields }: ReplayForm,
    tenant: string | undefined,
  ): Promise<EventFilter | undefined> {
    const groups = [boxes ?? []].flat().map(groupOf);
    const isChosen = groups.length > 0 || all !== undefined || [from, to, ...Object.values(fields)].some((value) => value !== undefined);
    if (!isChosen) return undefined;
    const asked = { ...fields, receivedFrom: from, receivedTo: to, ...(groups.length > 0 && { groups }) };
    return { ...(await this.filters.of(asked, tenant)), typeIsExact: true };
  }
}

function groupOf(text: string): z.infer<typeof eventGroup> {
  try {
    return eventGroup.parse(JSON.parse(text));
  } catch (cause) {
    throw new IntegrationError('invalid_request', { cause });
  }
}

function question(matched: number, asked: EventFilter, { nameOf }: Pick<ViewContext, 'nameOf'>): string {
  const [count, them] = matched === 1 ? ['1 event', 'it'] : [`${matched.toLocaleString('en')} events`, 'them'];
  const { provider, type, error: text } = asked;
  if (provider && type && text) return `${count} of ${nameOf(provider)}, ${type}, failed so: “${text}”. Process ${them} again?`;
  return `${count}: ${filterWords(asked, { nameOf })}. Process ${them} again?`;
}
