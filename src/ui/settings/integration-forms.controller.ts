import { Controller, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { CurrentUser, IdParam, ZodBody, type SessionPrincipal } from '../../http-api';
import { findIntegrationError, type ErrorCode } from '../../errors';
import {
  assertMayManage,
  ConnectionRepository,
  ConnectService,
  DisconnectService,
  KeyConnectService,
  ProviderRegistry,
  SyncService,
  toRef,
} from '../../integrations';
import { confirmPage } from '../confirm-page';
import { INTEGRATIONS_PATH } from '../layout';
import { leavePage } from '../leave-page';
import { FormRoute } from '../page-route.decorators';
import { addressOf } from '../table';
import { disconnectQuestion } from './integration-card';
import { ownViewer } from './integration-cards';
import type { Notice, Outcome } from './settings-banner';

const nothing = z.strictObject({});
const owner = z.literal('organization').optional();
const connectForm = z.strictObject({ owner });
const keyForm = z.strictObject({ apiKey: z.string().max(1_000), owner });
const disconnectForm = z.strictObject({ confirmed: z.literal('yes').optional() });

/** These have a page of their own; everything else is told on the cards. */
const OWN_PAGE: ReadonlySet<ErrorCode> = new Set(['connection_not_found', 'provider_unknown', 'internal_error', 'storage_unavailable']);

/** The buttons of the cards. Each ends with a redirect to the cards (303), so that loading them again repeats nothing; connecting leads to the provider. */
@Controller('settings/integrations')
export class IntegrationFormsController {
  constructor(
    private readonly registry: ProviderRegistry,
    private readonly connections: ConnectionRepository,
    private readonly connectService: ConnectService,
    private readonly keyConnectService: KeyConnectService,
    private readonly disconnectService: DisconnectService,
    private readonly syncs: SyncService,
  ) {}

  @FormRoute(':provider/connect')
  connect(
    @CurrentUser() caller: SessionPrincipal,
    @Param('provider') provider: string,
    @ZodBody(connectForm) chosen: z.infer<typeof connectForm>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.leave(caller, reply, () => Promise.resolve({ provider, ...chosen }));
  }

  @FormRoute(':provider/key')
  connectWithKey(
    @CurrentUser() caller: SessionPrincipal,
    @Param('provider') provider: string,
    @ZodBody(keyForm) { apiKey, owner }: z.infer<typeof keyForm>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return answer(reply, async () => {
      await this.keyConnectService.connect(ownViewer(caller), { provider, apiKey, owner });
      return cardsWith({ success: provider });
    });
  }

  @FormRoute('connections/:id/reconnect')
  reconnect(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam() id: string,
    @ZodBody(nothing) _: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.leave(caller, reply, async () => ({
      provider: (await this.connections.findFor(ownViewer(caller), id)).provider,
      connectionId: id,
    }));
  }

  @FormRoute('connections/:id/sync')
  sync(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam() id: string,
    @ZodBody(nothing) _: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return answer(reply, async () => {
      await this.connections.findFor(ownViewer(caller), id);
      const { created } = await this.syncs.request(id, { type: 'incremental', trigger: 'manual' });
      return cardsWith({ notice: created ? 'sync' : 'syncing' });
    });
  }

  @FormRoute('connections/:id/disconnect')
  async disconnect(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam() id: string,
    @ZodBody(disconnectForm) { confirmed }: z.infer<typeof disconnectForm>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const connection = await this.connections.findFor(ownViewer(caller), id);
    assertMayManage(ownViewer(caller), connection);
    if (!confirmed) {
      const question = disconnectQuestion(this.registry.find(connection.provider)?.name ?? connection.provider, connection);
      const to = `${INTEGRATIONS_PATH}/connections/${id}/disconnect`;
      await reply.send(
        confirmPage({ title: 'Disconnect', question, to, label: 'Disconnect', back: INTEGRATIONS_PATH, path: INTEGRATIONS_PATH, caller }),
      );
      return;
    }
    await answer(reply, async () => {
      const { revoked } = await this.disconnectService.disconnect(toRef(connection));
      return cardsWith({ notice: revoked ? 'revoked' : 'disconnected' });
    });
  }

  private async leave(
    caller: SessionPrincipal,
    reply: FastifyReply,
    what: () => Promise<{ provider: string; connectionId?: string; owner?: 'organization' }>,
  ): Promise<void> {
    try {
      const request = await what();
      const { connectUrl } = await this.connectService.createSession(ownViewer(caller), { ...request, returnTo: INTEGRATIONS_PATH });
      await reply.send(leavePage({ to: connectUrl, name: this.registry.get(request.provider).name, caller }));
    } catch (error) {
      await reply.redirect(toldOnTheCards(error), 303);
    }
  }
}

function cardsWith(outcome: Outcome & { notice?: Notice }): string {
  return addressOf(INTEGRATIONS_PATH, { ...outcome });
}

async function answer(reply: FastifyReply, work: () => Promise<string>): Promise<void> {
  await reply.redirect(await work().catch(toldOnTheCards), 303);
}

/** @returns the page that tells of it */
function toldOnTheCards(error: unknown): string {
  const known = findIntegrationError(error);
  if (!known || OWN_PAGE.has(known.code)) throw error;
  return cardsWith({ error: known.code });
}
