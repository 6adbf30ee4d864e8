import { Controller, Inject, Param } from '@nestjs/common';
import { z } from 'zod';
import { CurrentUser, html, Roles, visibleTenant, ZodBody, type Html, type SessionPrincipal } from '../../http-api';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import {
  addressesToRegister,
  ProviderHealthService,
  ProviderRegistry,
  ProviderSetupCheck,
  type Provider,
  type ProviderSetup,
} from '../../integrations';
import { page, pill } from '../layout';
import { FormRoute, PageRoute } from '../page-route.decorators';
import { table } from '../table';
import { PROVIDERS_PATH as PATH, wholeText } from './admin-links';
import { ProviderCircumstances } from './provider-circumstances';
import { addressTable, connectionHealthTable, limitTable, setupPart } from './provider-views';

const MOST_CONNECTIONS = 50;
const nothing = z.strictObject({});

/** Which providers there are, what is to be registered there, and whether that is as it should be. */
@Roles('admin')
@Controller('admin/providers')
export class ProvidersPageController {
  constructor(
    private readonly registry: ProviderRegistry,
    private readonly health: ProviderHealthService,
    private readonly around: ProviderCircumstances,
    private readonly setup: ProviderSetupCheck,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'publicUrl'>,
  ) {}

  @PageRoute()
  show(@CurrentUser() caller: SessionPrincipal): string {
    const all = this.registry.all();
    const ready = all.filter(({ configured }) => configured);
    const others = all.filter(({ configured }) => !configured);
    const body = html`<p>The addresses are to be registered in the settings of the app at each provider.</p>
      ${this.table(ready)}
      ${
        others.length > 0 &&
        html`<h2>Not set up here: ${others.length}</h2>
          <ul class="tiles">
            ${others.map(({ key, name }) => html`<li><a href="${PATH}/${key}">${name}</a></li>`)}
          </ul>`
      }`;
    return page({ title: 'Providers', caller, path: PATH, body });
  }

  @PageRoute(':provider')
  async one(@CurrentUser() caller: SessionPrincipal, @Param('provider') key: string): Promise<string> {
    return this.page(key, caller, caller.role === 'operator' ? await this.setup.look(key) : undefined);
  }

  /** The same page, once the provider was asked. */
  @Roles('operator')
  @FormRoute(':provider/check')
  async check(@CurrentUser() caller: SessionPrincipal, @Param('provider') key: string, @ZodBody(nothing) _: unknown): Promise<string> {
    return this.page(key, caller, await this.setup.ask(key));
  }

  private async page(key: string, caller: SessionPrincipal, setup: ProviderSetup | undefined): Promise<string> {
    const tenant = visibleTenant(caller);
    const provider = this.registry.get(key);
    const [health, connections, around] = await Promise.all([
      this.health.one(key, tenant),
      this.health.connections(key, tenant, MOST_CONNECTIONS),
      this.around.of(tenant),
    ]);
    const body = html`${this.around.healthTable([health], around)} ${setup && setupPart(setup, caller)}
      <h2>Addresses to register at the provider</h2>
      ${addressTable(addressesToRegister(provider, this.settings.publicUrl))}
      <h2>Connections, those with the most failures first</h2>
      ${connectionHealthTable(connections, around.nowMs)}
      <h2>Limits that calls are held to</h2>
      ${limitTable(provider)}`;
    return page({ title: provider.name, caller, path: PATH, body });
  }

  private table(providers: readonly Provider[]): Html {
    const rows = providers.map((provider) => {
      const { redirect, webhooks } = addressesToRegister(provider, this.settings.publicUrl);
      return [
        html`<a href="${PATH}/${provider.key}">${provider.name}</a>`,
        redirect === undefined ? '–' : wholeText(redirect),
        webhooks === undefined ? '–' : html`${wholeText(webhooks)} ${provider.webhooks?.configured === false && pill('bad', 'No secret')}`,
      ];
    });
    return table('Providers', ['Provider', 'Redirect address (OAuth)', 'Webhooks'], rows, 'No provider is set up yet.');
  }
}
