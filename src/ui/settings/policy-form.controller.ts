import { Controller, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { BrowserNews, CurrentUser, IdParam, ZodBody, type SessionPrincipal } from '../../http-api';
import { ConnectionPolicyService, POLICY_CHOICES, type PolicyChoice } from '../../integrations';
import { INTEGRATIONS_PATH } from '../layout';
import { FormRoute } from '../page-route.decorators';
import { ownViewer } from './integration-cards';
import { toldOnTheCards, type CardNews } from './settings-banner';

const policyForm = z.strictObject({ people: z.enum(Object.keys(POLICY_CHOICES) as [PolicyChoice]) });

/** On the cards: who of the organization may use and manage a connection that there is. As `PATCH /v1/connections/:id` does. */
@Controller('settings/integrations')
export class PolicyFormController {
  constructor(
    private readonly policies: ConnectionPolicyService,
    private readonly news: BrowserNews,
  ) {}

  @FormRoute('connections/:id/policy')
  async change(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam() id: string,
    @ZodBody(policyForm) { people }: z.infer<typeof policyForm>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const changed = this.policies.change(ownViewer(caller), id, POLICY_CHOICES[people].policy);
    const told = changed.then((): CardNews => ({ kind: 'policy', about: { connection: id } }), toldOnTheCards);
    this.news.tell(reply, caller, await told);
    await reply.redirect(INTEGRATIONS_PATH, 303);
  }
}
