import { Controller, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CurrentUser, html, Roles, type SessionPrincipal } from '../../http-api';
import { page, SEARCH_PATH as PATH } from '../layout';
import { PageRoute } from '../page-route.decorators';
import { FilterFields } from './filter-fields';
import { filterText, readFilters } from './list-query';
import { Lookup } from './lookup';

const shape = { q: filterText };
const HINT =
  'This looks for the id of a connection, an event (ours or the provider’s), a run, a request, a delivery, a message, a destination or an alert; for an account by its id or the beginning of its name; for a user, an organization and a provider by the whole name.';

/** The box of the header: leads to what was meant where that is one thing. */
@Roles('admin')
@Controller('admin/search')
export class SearchPageController {
  constructor(private readonly lookup: Lookup) {}

  @PageRoute()
  async show(@CurrentUser() caller: SessionPrincipal, @Query() query: unknown, @Res() reply: FastifyReply): Promise<void> {
    const filters = readFilters(shape, query);
    const { values } = filters;
    const text = values?.q;
    const found = text === undefined ? [] : await this.lookup.find(text, caller);
    const [only, another] = found;
    if (only && !another) return void (await reply.redirect(only.href, 302));
    const answer = html`${text !== undefined && found.length === 0 && html`<p role="status">Nothing is found by “${text}”.</p>`}
      ${found.length > 0 && html`<p role="status">“${text}” may be:</p>`}
      <ul>
        ${found.map(({ what, href }) => html`<li><a href="${href}">${what}</a></li>`)}
      </ul>
      ${found.length === 0 && html`<p class="soft">${HINT}</p>`}`;
    const body = values ? answer : new FilterFields(filters).text('q', 'What to look for').form(PATH);
    if (!values) void reply.status(400);
    await reply.send(page({ title: 'Search', caller, path: PATH, body, sought: text }));
  }
}
