import { Controller, Get, Header, Inject, Req } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { IntegrationError } from '../../errors';
import { BrowserSessions, html, htmlPage, productLink, Public, type EdgeRequest, type Html } from '../../http-api';
import { addressesToRegister, ProviderRegistry } from '../../integrations';
import { ENGLISH } from '../../languages';
import { INTEGRATIONS_PATH } from '../layout';
import { table } from '../table';

type StartSettings = Pick<Settings, 'startPage' | 'docs' | 'publicUrl' | 'productUrl'>;

/** For who comes by hand: what this is, and where to go on. Needs no session and tells nothing that is not the same everywhere. */
@ApiExcludeController()
@Public()
@Controller()
export class StartPageController {
  constructor(
    private readonly sessions: BrowserSessions,
    private readonly registry: ProviderRegistry,
    @Inject(SETTINGS) private readonly settings: StartSettings,
  ) {}

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('cache-control', 'no-store')
  async show(@Req() request: EdgeRequest): Promise<string> {
    if (!this.settings.startPage) throw new IntegrationError('not_found');
    const caller = await this.sessions.find(request.cookies[this.sessions.cookieName]);
    const body = html`<p>
        This is the integrations backend of a product: it connects the product's users to the services that they work with, and keeps those
        connections working. There is nothing to sign in to here: people come from their product, which opens these pages for them.
      </p>
      ${productLink(this.settings.productUrl, ENGLISH)}
      <ul>
        <li><a href="${INTEGRATIONS_PATH}">Integrations</a>: what you have connected</li>
        <li><a href="/admin">Administration</a>: how everything is, for administrators</li>
        ${this.settings.docs && html`<li><a href="/docs">The API</a>: its description</li>`}
      </ul>
      ${caller?.role === 'operator' && this.addresses()}`;
    return htmlPage('Trestle', body);
  }

  private addresses(): Html {
    const rows = this.registry
      .all()
      .filter(({ configured }) => configured)
      .map((provider) => {
        const { redirect, webhooks } = addressesToRegister(provider, this.settings.publicUrl);
        const name = html`<a href="/admin/providers/${provider.key}">${provider.name}</a>`;
        return [
          name,
          redirect && html`<code class="address">${redirect}</code>`,
          webhooks && html`<code class="address">${webhooks}</code>`,
        ];
      });
    return html`<h2>Addresses to register at the providers</h2>
      ${table('Addresses to register', ['Provider', 'Redirect address (OAuth)', 'Webhooks'], rows, 'No provider is set up yet.')}`;
  }
}
