import { Controller, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { BrowserNews, CurrentUser, html, IdParam, Roles, visibleTenant, ZodBody, type SessionPrincipal } from '../../http-api';
import { findIntegrationError } from '../../errors';
import { DestinationService, type WithSecret } from '../../integrations';
import { confirmPage } from '../confirm-page';
import { banner, page } from '../layout';
import { FormRoute, PageRoute } from '../page-route.decorators';
import { DESTINATIONS_PATH as PATH, wholeText } from './admin-links';
import { adminNews } from './admin-notices';
import { destinationFields, destinationForm, fieldsOf, readDestination, type DestinationFields, type FilledForm } from './destination-form';

const OVERLAP_MS = 24 * 3_600_000;
const confirmation = z.strictObject({ confirmed: z.literal('yes').optional() });

/** Destinations are added, changed and removed as by the API; a secret is shown by the one answer that made it. */
@Roles('admin')
@Controller('admin/destinations')
export class DestinationFormsController {
  constructor(
    private readonly destinations: DestinationService,
    private readonly news: BrowserNews,
  ) {}

  @PageRoute('new')
  empty(@CurrentUser() caller: SessionPrincipal): string {
    return this.newPage(caller, { fields: {}, faults: {} });
  }

  @FormRoute('new')
  async add(
    @CurrentUser() caller: SessionPrincipal,
    @ZodBody(destinationForm) fields: DestinationFields,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const input = readDestination(fields);
    const made = 'faults' in input ? input : await this.destinations.create(caller, input).catch(faultOfAddress);
    if (!('faults' in made)) return secretPage(made, 'The destination is added.', caller);
    void reply.status(400);
    return this.newPage(caller, { fields, faults: made.faults });
  }

  @PageRoute(':id/change')
  async filled(@CurrentUser() caller: SessionPrincipal, @IdParam('id', 'not_found') id: string): Promise<string> {
    const destination = await this.destinations.find(id, visibleTenant(caller));
    return this.changePage(id, caller, { fields: fieldsOf(destination), faults: {} });
  }

  @FormRoute(':id/change')
  async change(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam('id', 'not_found') id: string,
    @ZodBody(destinationForm) fields: DestinationFields,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const input = readDestination(fields);
    const changed = 'faults' in input ? input : await this.save(id, caller, input).catch(faultOfAddress);
    if ('faults' in changed) return void (await reply.status(400).send(this.changePage(id, caller, { fields, faults: changed.faults })));
    this.news.tell(reply, caller, adminNews('destination-changed'));
    await reply.redirect(`${PATH}/${id}`, 303);
  }

  /** The old secret signs as well for a day. */
  @FormRoute(':id/rotate-secret')
  async rotate(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam('id', 'not_found') id: string,
    @ZodBody(confirmation) { confirmed }: z.infer<typeof confirmation>,
  ): Promise<string> {
    const tenant = visibleTenant(caller);
    if (confirmed) return secretPage(await this.destinations.rotate(id, tenant, OVERLAP_MS), 'There is a new secret.', caller);
    const { name } = await this.destinations.find(id, tenant);
    const question = `Make a new secret for ${name}? The one before signs as well for 24 hours.`;
    return confirmPage({
      title: 'New secret',
      question,
      to: `${PATH}/${id}/rotate-secret`,
      label: 'Make it',
      back: `${PATH}/${id}`,
      path: PATH,
      caller,
    });
  }

  @FormRoute(':id/remove')
  async remove(
    @CurrentUser() caller: SessionPrincipal,
    @IdParam('id', 'not_found') id: string,
    @ZodBody(confirmation) { confirmed }: z.infer<typeof confirmation>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const tenant = visibleTenant(caller);
    if (!confirmed) {
      const { name, waiting } = await this.destinations.find(id, tenant);
      const question = `Remove ${name}? What waits for it (${waiting.toLocaleString('en')}) is not sent any more.`;
      const to = `${PATH}/${id}/remove`;
      return void (await reply.send(
        confirmPage({ title: 'Remove', question, to, label: 'Remove', back: `${PATH}/${id}`, path: PATH, caller }),
      ));
    }
    await this.destinations.remove(id, tenant);
    this.news.tell(reply, caller, adminNews('destination-removed'));
    await reply.redirect(PATH, 303);
  }

  private save(
    id: string,
    caller: SessionPrincipal,
    { name, url, events, webhookTypes, match }: Parameters<DestinationService['create']>[1],
  ) {
    return this.destinations.update(id, visibleTenant(caller), { name, url, events, webhookTypes, match });
  }

  private newPage(caller: SessionPrincipal, filled: FilledForm): string {
    const form = destinationFields(filled, { to: `${PATH}/new`, label: 'Add it', isNew: true, caller });
    return page({ title: 'New destination', caller, path: PATH, body: form });
  }

  private changePage(id: string, caller: SessionPrincipal, filled: FilledForm): string {
    const form = destinationFields(filled, { to: `${PATH}/${id}/change`, label: 'Save', isNew: false, caller });
    return page({ title: 'Change the destination', caller, path: PATH, body: form });
  }
}

function secretPage({ id, name, secret }: WithSecret, said: string, caller: SessionPrincipal): string {
  const body = html`${banner('good', said)}
    <div class="card">
      <h2>${name}</h2>
      <p>This is the secret that signs what is sent to it. It is shown this once: keep it where the receiver verifies.</p>
      <p>${wholeText(secret)}</p>
      <div class="actions"><a href="${PATH}/${id}">On to the destination</a></div>
    </div>`;
  return page({ title: 'The secret of a destination', caller, path: PATH, body });
}

/** What the service refuses of an input that reads well. */
function faultOfAddress(error: unknown): { faults: Record<string, string> } {
  const found = findIntegrationError(error);
  if (found?.code !== 'destination_refused' && found?.code !== 'invalid_request') throw error;
  return { faults: { [found.code === 'destination_refused' ? 'url' : 'name']: `${found.message} ${found.nextStep}` } };
}
