import { Controller, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { BrowserNews, CurrentUser, IdParam, Roles, ZodBody, type SessionPrincipal } from '../../http-api';
import { IntegrationError } from '../../errors';
import { assertMayManage, ConnectionRepository, DisconnectService, ProviderRegistry, SyncService, toRef } from '../../integrations';
import { confirmPage } from '../confirm-page';
import { FormRoute } from '../page-route.decorators';
import { disconnectQuestion } from '../settings/disconnect-question';
import { CONNECTIONS_PATH as PATH } from './admin-links';
import { adminNews } from './admin-notices';

const nothing = z.strictObject({});
const confirmation = z.strictObject({ confirmed: z.literal('yes').optional() });

/** What an administrator does to a connection: a sync, or its end. */
@Roles('admin')
@Controller('admin/connections')
export class ConnectionFormsController {
  constructor(
    private readonly connections: ConnectionRepository,
    private readonly registry: ProviderRegistry,
    private readonly syncs: SyncService,
    private readonly disconnects: DisconnectService,
    private readonly news: BrowserNews,
  ) {}

  @FormRoute(':id/sync')
  async sync(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam() id: string,
    @ZodBody(nothing) _: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { status } = await this.connections.findFor(caller, id);
    if (status !== 'connected') throw new IntegrationError(status === 'needs_reauth' ? 'needs_reauth' : 'not_connected');
    const { created } = await this.syncs.request(id, { type: 'incremental', trigger: 'manual' });
    this.news.tell(reply, caller, adminNews(created ? 'sync-asked' : 'sync-joined'));
    await reply.redirect(`${PATH}/${id}`, 303);
  }

  @FormRoute(':id/disconnect')
  async disconnect(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam() id: string,
    @ZodBody(confirmation) { confirmed }: z.infer<typeof confirmation>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const connection = await this.connections.findFor(caller, id);
    assertMayManage(caller, connection);
    const back = `${PATH}/${id}`;
    if (!confirmed) {
      const name = this.registry.nameOf(connection.provider);
      const question = `${disconnectQuestion(name, connection)} The records that were synced stay.`;
      const to = `${back}/disconnect`;
      return void (await reply.send(confirmPage({ title: 'Disconnect', question, to, label: 'Disconnect', back, path: PATH, caller })));
    }
    const { revoked } = await this.disconnects.disconnect(toRef(connection));
    this.news.tell(reply, caller, adminNews(revoked ? 'disconnected' : 'disconnected-here'));
    await reply.redirect(back, 303);
  }
}
