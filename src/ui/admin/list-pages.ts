import { Inject, Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { BrowserNews, html, pageFrom, visibleTenant, type Html, type SessionPrincipal } from '../../http-api';
import { CLOCK, type Clock } from '../../clock';
import { ProviderRegistry } from '../../integrations';
import { page } from '../layout';
import { liveRegion } from '../live/live-region';
import type { LiveTopic } from '../live/live-topics';
import { nextPage } from '../table';
import type { ViewContext } from './admin-links';
import { adminNotice } from './admin-notices';
import { FilterFields } from './filter-fields';
import { PAGE_ROWS, readFilters, withoutCursor } from './list-query';
import type { PageVisit } from './page-visit';

/** What the rows of a list are shown by. */
export interface ListContext extends ViewContext {
  /** Confines to one organization; undefined: all, for an operator. */
  readonly tenant: string | undefined;
  /** The filters as they were given, without the place in the list. */
  readonly given: Readonly<Record<string, string>>;
}

/** What makes one list differ from another. */
export interface ListPage<S extends z.ZodRawShape, Row> {
  readonly title: string;
  readonly path: string;
  readonly topic: LiveTopic;
  /** The filters, `cursor` among them. */
  readonly shape: S;
  /** The fields of its form; none: it has no form. */
  readonly fields?: (form: FilterFields, caller: SessionPrincipal) => FilterFields;
  /** @param limit one more than is shown */
  readonly read: (asked: z.output<z.ZodObject<S>>, limit: number, context: ListContext) => Promise<Row[]>;
  /** Where the next page begins after this row. */
  readonly position: (row: Row) => object;
  readonly table: (rows: readonly Row[], context: ListContext) => Html | Promise<Html>;
  /** Between the form and the table, or below the list. */
  readonly above?: (context: ListContext) => Html;
  readonly below?: (rows: readonly Row[], context: ListContext) => Html | undefined;
}

/** The frame of every list: what was done, the filters, the rows that follow the state, the way to older ones. */
@Injectable()
export class ListPages {
  constructor(
    private readonly news: BrowserNews,
    private readonly registry: ProviderRegistry,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** What one thing is shown by, beside its list. */
  viewFor(caller: SessionPrincipal): ViewContext {
    return { nowMs: this.clock.now(), caller, nameOf: (provider) => this.registry.nameOf(provider) };
  }

  async show<S extends z.ZodRawShape, Row>(list: ListPage<S, Row>, { caller, query, request, reply }: PageVisit): Promise<string> {
    const { title, path, topic, fields } = list;
    const filters = readFilters(list.shape, query);
    const form = fields?.(new FilterFields(filters), caller).form(path);
    const notice = adminNotice(this.news.take(request, reply, caller));
    if (!filters.values) {
      void reply.status(400);
      const faults = form ?? new FilterFields(filters).form(path);
      return page({ title, caller, path, body: html`${notice} ${faults}` });
    }
    const given = withoutCursor(filters);
    const context: ListContext = { ...this.viewFor(caller), tenant: visibleTenant(caller), given };
    const found = await list.read(filters.values, PAGE_ROWS + 1, context);
    const { data, nextCursor } = pageFrom(found, PAGE_ROWS, list.position);
    const body = html`${notice} ${form} ${list.above?.(context)} ${liveRegion(topic, await list.table(data, context))}
    ${nextPage(path, given, nextCursor)} ${list.below?.(data, context)}`;
    return page({ title, caller, path, body });
  }
}
