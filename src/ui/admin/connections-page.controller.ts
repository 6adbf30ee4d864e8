import { Controller, Req, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { BrowserNews, byId, CurrentUser, html, IdParam, Roles, type EdgeRequest, type SessionPrincipal } from '../../http-api';
import { ConnectionRepository, ProviderRegistry, ScopeNeeds } from '../../integrations';
import { page } from '../layout';
import { liveRegion } from '../live/live-region';
import { PageRoute } from '../page-route.decorators';
import { CONNECTIONS_PATH as PATH } from './admin-links';
import { adminNotice } from './admin-notices';
import { ConnectionTimeline, timelineTable } from './connection-timeline';
import { connectionFacts, connectionTable, listsOf, type ConnectionContext } from './connection-views';
import { ListPages } from './list-pages';
import { cursorOf, filterOf, filterText } from './list-query';
import { Visit, type PageVisit } from './page-visit';

const STATUSES = [
  { value: 'connected', label: 'Connected' },
  { value: 'needs_reauth', label: 'Reconnect needed' },
  { value: 'disconnected', label: 'Disconnected' },
] as const;

const listShape = {
  tenant: filterText,
  userId: filterText,
  account: filterText,
  provider: filterText,
  status: filterOf(STATUSES.map(({ value }) => value)),
  cursor: cursorOf(byId),
};

/** The connections of an organization, or of all for an operator; and one of them, with what happened to it. */
@Roles('admin')
@Controller('admin/connections')
export class ConnectionsPageController {
  constructor(
    private readonly lists: ListPages,
    private readonly connections: ConnectionRepository,
    private readonly timeline: ConnectionTimeline,
    private readonly registry: ProviderRegistry,
    private readonly scopeNeeds: ScopeNeeds,
    private readonly news: BrowserNews,
  ) {}

  @PageRoute()
  show(@Visit() visit: PageVisit): Promise<string> {
    const providers = this.registry.all().map(({ key, name }) => ({ value: key, label: name }));
    return this.lists.show(
      {
        title: 'Connections',
        path: PATH,
        topic: 'connections',
        shape: listShape,
        fields: (form, caller) =>
          form
            .tenant(caller)
            .text('userId', 'User')
            .text('account', 'Account: id, or the beginning of its name')
            .select('provider', 'Provider', providers)
            .select('status', 'Status', STATUSES),
        read: ({ cursor, ...asked }, limit, { caller }) => this.connections.list(caller, { ...asked, after: cursor?.id, limit }),
        position: ({ id }) => ({ id }),
        table: (rows, { caller }) => connectionTable(rows, this.context(caller)),
      },
      visit,
    );
  }

  @PageRoute(':id')
  async one(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam() id: string,
    @Req() request: EdgeRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const connection = await this.connections.findWithSync(caller, id);
    const entries = await this.timeline.of(connection, caller);
    const context = this.context(caller);
    const content = html`${connectionFacts(connection, this.registry.find(connection.provider), context)}
      <h2>Timeline</h2>
      ${timelineTable(entries, context.nowMs)}`;
    const body = html`${adminNotice(this.news.take(request, reply, caller))} ${liveRegion('connection', content, id)}
    ${listsOf(connection, context.nowMs)}`;
    return page({ title: `${context.nameOf(connection.provider)}: ${connection.accountName || 'connection'}`, caller, path: PATH, body });
  }

  private context(caller: SessionPrincipal): ConnectionContext {
    return {
      ...this.lists.viewFor(caller),
      missingOf: (connection) => {
        const words = this.registry.find(connection.provider)?.oauth2?.scopeWords ?? {};
        return connection.status === 'connected' ? this.scopeNeeds.missing(connection).map((scope) => words[scope] ?? scope) : [];
      },
    };
  }
}
