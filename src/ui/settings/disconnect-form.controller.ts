import { Controller, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { BrowserNews, CurrentUser, Frame, IdParam, ZodBody, type PageFrame, type SessionPrincipal } from '../../http-api';
import { assertMayManage, ConnectionRepository, DisconnectService, Erasure, ProviderRegistry, toRef } from '../../integrations';
import { confirmPage } from '../confirm-page';
import { INTEGRATIONS_PATH } from '../layout';
import { FormRoute } from '../page-route.decorators';
import { DATA_CHOICES, disconnectChoice, disconnectQuestion } from './disconnect-question';
import { ownViewer } from './integration-cards';
import { toldOnTheCards, type CardNews } from './settings-banner';

const disconnectForm = z.strictObject({ confirmed: z.literal('yes').optional(), data: z.enum(DATA_CHOICES).default('keep') });

/** On the cards: ends a connection, and with it what was synced, where the person wants that. As `DELETE /v1/connections/:id` does. */
@Controller('settings/integrations')
export class DisconnectFormController {
  constructor(
    private readonly registry: ProviderRegistry,
    private readonly connections: ConnectionRepository,
    private readonly disconnects: DisconnectService,
    private readonly erasure: Erasure,
    private readonly news: BrowserNews,
  ) {}

  @FormRoute('connections/:id/disconnect')
  async disconnect(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam() id: string,
    @ZodBody(disconnectForm) { confirmed, data }: z.infer<typeof disconnectForm>,
    @Frame() frame: PageFrame,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const connection = await this.connections.findFor(ownViewer(caller), id);
    assertMayManage(ownViewer(caller), connection);
    if (!confirmed) {
      const provider = this.registry.nameOf(connection.provider);
      await reply.send(this.question({ provider, connection, caller, frame }));
      return;
    }
    const ended = data === 'purge' ? this.erasure.purge(toRef(connection)) : this.disconnects.disconnect(toRef(connection));
    const told = ended.then(
      ({ revoked }): CardNews => ({ kind: 'disconnect', about: { connection: id, revoked: revoked ? 'yes' : 'no', data } }),
      toldOnTheCards,
    );
    this.news.tell(reply, caller, await told);
    await reply.redirect(INTEGRATIONS_PATH, 303);
  }

  private question({ provider, connection, caller, frame }: Asked): string {
    const { language } = frame;
    return confirmPage({
      title: language.say('disconnect.title', { provider }),
      question: disconnectQuestion(provider, connection, language),
      asked: disconnectChoice(connection.id, language),
      to: `${INTEGRATIONS_PATH}/connections/${connection.id}/disconnect`,
      label: language.say('card.disconnect'),
      back: INTEGRATIONS_PATH,
      path: INTEGRATIONS_PATH,
      caller,
      frame,
    });
  }
}

interface Asked {
  readonly provider: string;
  readonly connection: { readonly id: string; readonly accountName: string; readonly userId: string };
  readonly caller: SessionPrincipal;
  readonly frame: PageFrame;
}
