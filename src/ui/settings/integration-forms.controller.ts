import { Controller, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { BrowserNews, CurrentUser, errorIn, Frame, IdParam, ZodBody, type PageFrame, type SessionPrincipal } from '../../http-api';
import { findIntegrationError, IntegrationError } from '../../errors';
import {
  type ChosenOwner,
  CONNECT_NEWS,
  ConnectionRepository,
  ConnectService,
  fieldFaults,
  KeyConnectService,
  POLICY_CHOICES,
  type PolicyChoice,
  ProviderRegistry,
  SyncService,
} from '../../integrations';
import { INTEGRATIONS_PATH } from '../layout';
import { leavePage } from '../leave-page';
import { FormRoute } from '../page-route.decorators';
import { faultsIn, fieldsIn, isFieldName, type Attempt } from './asked-fields';
import { ownViewer } from './integration-cards';
import { IntegrationsPage } from './integrations-page';
import { toldOnTheCards, type CardNews } from './settings-banner';

const nothing = z.strictObject({});
const owner = z.literal('organization').optional();
/** Who of the organization may use and manage what an administrator connects for it; nothing: the person's own, or as it was. */
const people = z
  .enum(Object.keys(POLICY_CHOICES) as [PolicyChoice])
  .or(z.literal(''))
  .optional();
/** What the provider asks for stands in `field.<name>`; what it does not ask for is refused. */
const asked = z.string().max(1_000);
const isKnown = (form: object) =>
  Object.keys(form).every((name) => ['owner', 'people', 'apiKey', 'again'].includes(name) || isFieldName(name));
const connectForm = z.object({ owner, people }).catchall(asked).refine(isKnown).readonly();
const keyForm = z
  .object({ apiKey: asked.optional(), owner, people, again: z.guid().optional() })
  .catchall(asked)
  .refine(isKnown)
  .readonly();

/** The buttons of the cards. Each ends with a redirect to the cards (303), so that loading them again repeats nothing; connecting leads to the provider. */
@Controller('settings/integrations')
export class IntegrationFormsController {
  constructor(
    private readonly registry: ProviderRegistry,
    private readonly connections: ConnectionRepository,
    private readonly connectService: ConnectService,
    private readonly keyConnectService: KeyConnectService,
    private readonly syncs: SyncService,
    private readonly page: IntegrationsPage,
    private readonly news: BrowserNews,
  ) {}

  @FormRoute(':provider/connect')
  connect(
    @CurrentUser() caller: SessionPrincipal,
    @Param('provider') provider: string,
    @ZodBody(connectForm) chosen: z.infer<typeof connectForm>,
    @Frame() frame: PageFrame,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const form = chosen.people ? 'organization' : 'connect';
    return this.withFields({ caller, frame, reply }, { provider, form, given: chosen }, async (fields) =>
      reply.send(await this.leaving({ caller, frame }, { provider, fields, ...ownerFrom(chosen) })),
    );
  }

  @FormRoute(':provider/key')
  connectWithKey(
    @CurrentUser() caller: SessionPrincipal,
    @Param('provider') provider: string,
    @ZodBody(keyForm) chosen: z.infer<typeof keyForm>,
    @Frame() frame: PageFrame,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.withFields({ caller, frame, reply }, { provider, form: 'key', given: chosen }, async (fields) => {
      const { apiKey, again: connectionId } = chosen;
      const again = connectionId !== undefined && { connectionId };
      const request = { provider, fields, ...ownerFrom(chosen), ...(apiKey !== undefined && { apiKey }), ...again };
      const { id } = await this.keyConnectService.connect(ownViewer(caller), request);
      this.news.tell(reply, caller, { kind: CONNECT_NEWS, about: { success: provider, connection: id } } satisfies CardNews);
      await reply.redirect(INTEGRATIONS_PATH, 303);
    });
  }

  @FormRoute('connections/:id/reconnect')
  reconnect(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam() id: string,
    @ZodBody(nothing) _: unknown,
    @Frame() frame: PageFrame,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.orTold(caller, reply, async () => {
      const { provider } = await this.connections.findFor(ownViewer(caller), id);
      await reply.send(await this.leaving({ caller, frame }, { provider, connectionId: id }));
    });
  }

  @FormRoute('connections/:id/sync')
  sync(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam() id: string,
    @ZodBody(nothing) _: unknown,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.answer(caller, reply, async () => {
      const { status } = await this.connections.findFor(ownViewer(caller), id);
      if (status === 'needs_reauth') throw new IntegrationError('needs_reauth');
      const { run, created } = await this.syncs.request(id, { type: 'incremental', trigger: 'manual' });
      return { kind: 'sync', about: { connection: id, run: run.id, created: created ? 'yes' : 'no' } };
    });
  }

  /** A page that leads to the provider. */
  private async leaving(
    { caller, frame }: Pick<Sender, 'caller' | 'frame'>,
    request: ChosenOwner & { provider: string; connectionId?: string; fields?: Record<string, string> | undefined },
  ): Promise<string> {
    const { fields, ...rest } = request;
    const asked = { ...rest, ...(fields && { fields }), returnTo: INTEGRATIONS_PATH };
    const { connectUrl } = await this.connectService.createSession(ownViewer(caller), asked);
    return leavePage({ to: connectUrl, name: this.registry.get(request.provider).name, caller, frame });
  }

  private async orTold(caller: SessionPrincipal, reply: FastifyReply, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      await this.answer(caller, reply, () => Promise.reject(error as Error));
    }
  }

  /** Where something is asked, what went wrong is told beside what was filled in, on the same page. */
  private async withFields(
    { caller, frame, reply }: Sender,
    { provider: key, form, given }: Pick<Attempt, 'provider' | 'form'> & { given: z.infer<typeof keyForm> },
    work: (fields: Record<string, string> | undefined) => Promise<unknown>,
  ): Promise<void> {
    const provider = this.registry.get(key);
    const fields = fieldsIn(given);
    const { people, again: connection } = given;
    const again = async (faults: Attempt['faults'], message?: string) => {
      const attempt = { provider: key, form, fields, faults, people, again: connection, ...(message !== undefined && { message }) };
      await reply.status(422).send(await this.page.show(caller, frame, { attempt }));
    };
    const faulty = Object.keys(fieldFaults(provider, fields));
    if (faulty.length > 0) return again(faultsIn(frame.language, provider, faulty));
    try {
      await work(Object.keys(fields).length > 0 ? fields : undefined);
    } catch (error) {
      const news = toldOnTheCards(error);
      if (!provider.ask && form !== 'key') return this.answer(caller, reply, () => Promise.resolve(news));
      const { code, message, nextStep: next } = findIntegrationError(error)!;
      const { detail, nextStep } = errorIn(frame.language, { code, detail: message, nextStep: next }, provider.translations);
      const sentence = `${detail} ${nextStep}`;
      if (code === 'credentials_rejected' && provider.apiKey) return again({ apiKey: sentence });
      await again({}, sentence);
    }
  }

  private async answer(caller: SessionPrincipal, reply: FastifyReply, work: () => Promise<CardNews>): Promise<void> {
    this.news.tell(reply, caller, await work().catch(toldOnTheCards));
    await reply.redirect(INTEGRATIONS_PATH, 303);
  }
}

/** Who sent a form, and how the answer is told. */
interface Sender {
  readonly caller: SessionPrincipal;
  readonly frame: PageFrame;
  readonly reply: FastifyReply;
}

function ownerFrom({ owner, people }: z.infer<typeof connectForm>): ChosenOwner {
  return people ? { owner: 'organization', policy: POLICY_CHOICES[people].policy } : { owner };
}
