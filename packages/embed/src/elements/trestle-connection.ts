import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import type { Connection, Provider } from '../api.ts';
import { embedErrorOf, type EmbedError } from '../embed-error.ts';
import type { ConnectionState, ConnectOptions } from '../embed-client.ts';
import { TrestleElement } from './trestle-element.ts';

/**
 * `<trestle-connection provider="slack">`: one provider, the person's accounts there and the organization's where the token opens them, and
 * what the person can do with each.
 *
 * Parts: `card`, `name`, `status`, `account`, `button`, `primary`, `danger`, `message`. Events: `connected`, `disconnected`, `error`, `sync`.
 */
export class TrestleConnection extends TrestleElement {
  static override properties = {
    ...TrestleElement.properties,
    provider: {},
    busy: { state: true },
    fault: { state: true },
    asked: { state: true },
    said: { state: true },
  };
  declare provider: string;
  declare private busy: string;
  declare private fault: string;
  /** What stands open: the question before an end (`end <id>`), the form of another key (`again <id>`), or that of a connect. */
  declare private asked: string;
  declare private said: string;
  private told = new Map<string, string>();

  constructor() {
    super();
    this.provider = this.busy = this.fault = this.asked = this.said = '';
  }

  protected override concerns(provider: string): boolean {
    return provider === this.provider;
  }

  protected override forgetFault(): void {
    this.fault = '';
  }

  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    this.say();
  }

  protected override updated(): void {
    this.renderRoot.querySelector<HTMLElement>('[data-focus]:not(:focus)')?.focus();
    for (const each of this.renderRoot.querySelectorAll('[data-focus]')) each.removeAttribute('data-focus');
  }

  protected override render(): TemplateResult {
    const { words, state } = this;
    const provider = state?.providers.find(({ key }) => key === this.provider);
    const accounts = this.accounts();
    if (!provider) {
      const text = state?.error ? words.fault(state.error) : words.say('loading');
      return html`<div class="card" part="card"><p class=${state?.error ? 'bad' : 'soft'} part="message" role="status">${text}</p></div>`;
    }
    return html`<div class="card" part="card" role="group" aria-labelledby="name">
      <div class="head">
        <span class="name" part="name" id="name" role="heading" aria-level="3">${provider.name}</span>
        ${accounts.length === 0 ? html`<span class="pill none" part="status">${words.say('notConnected')}</span>` : nothing}
      </div>
      ${accounts.map((each) => this.account(provider, each))} ${this.connectPart(provider, accounts.length)}
      ${this.fault ? html`<p class="bad" part="message" role="alert">${this.fault}</p>` : nothing}
      ${state && !state.live && state.error ? html`<p class="soft" part="message">${words.say('paused')}</p>` : nothing}
      <p class="unseen" role="status">${this.said}</p>
    </div>`;
  }

  private accounts(): ConnectionState[] {
    const all = this.state?.connections ?? [];
    return all.filter(({ connection: { provider, status } }) => provider === this.provider && status !== 'disconnected');
  }

  private account(provider: Provider, { connection, run }: ConnectionState): TemplateResult {
    const { words } = this;
    const { id, connected, account, error, syncInProgress, missingScopes, partial, mayManage } = connection;
    const isConsented = provider.authType === 'oauth2';
    const about = `${provider.name}, ${account.name}`;
    const again = () => (isConsented ? this.connect({ connectionId: id }) : (this.asked = `again ${id}`));
    const button = (label: string, act: () => void, kind = 'button') =>
      html`<button class=${kind} part=${kind === 'button' ? 'button' : `button ${kind}`} ?disabled=${this.busy !== ''} @click=${act}>
        ${label}<span class="unseen"> ${about}</span>
      </button>`;
    return html`<div class="account" part="account" role="group" aria-label=${about}>
      <div class="head">
        <span class="name">${account.name}</span>
        <span class="pill ${connected ? (partial ? 'warn' : 'good') : 'bad'}" part="status">${this.stateOf(connection)}</span>
      </div>
      ${this.whose(connection)}
      ${partial ? html`<p class="soft">${words.say('missing', { scopes: missingScopes.join(', ') })}</p>` : nothing}
      ${provider.capabilities.sync ? this.syncPart(provider, connection, run) : nothing}
      ${error ? html`<p class="bad" part="message">${error.message} ${error.nextStep}</p>` : nothing}
      ${this.asked === `again ${id}` ? this.form(provider, connection) : nothing}
      ${
        this.asked === `end ${id}`
          ? this.question(provider, connection)
          : html`<div class="actions">
              ${mayManage && !connected && this.asked !== `again ${id}` ? button(words.say('reconnect'), again, 'primary') : nothing}
              ${mayManage && partial && isConsented ? button(words.say('allowMissing'), again, 'primary') : nothing}
              ${
                connected && provider.capabilities.sync && !syncInProgress
                  ? button(words.say('syncNow'), () => void this.work('sync', () => this.used?.sync(id)))
                  : nothing
              }
              ${mayManage ? button(words.say('disconnect'), () => (this.asked = `end ${id}`), 'danger') : nothing}
            </div>`
      }
    </div>`;
  }

  /** Where it is not the person's own. */
  private whose({ owner, policy, mayManage }: Connection): TemplateResult | typeof nothing {
    if (owner === 'user') return nothing;
    const word = policy?.usedBy === 'admins' ? 'organizationsAdmins' : 'organizations';
    return html`<p class="soft">${this.words.say(word)} ${mayManage ? nothing : this.words.say('adminsManage')}</p>`;
  }

  private syncPart({ name }: Provider, { syncInProgress, lastSync }: Connection, run: ConnectionState['run']): TemplateResult {
    const { words } = this;
    const last = lastSync ? words.say('lastSynced', { when: words.ago(lastSync) }) : words.say('notSynced');
    if (!syncInProgress) return html`<p class="soft">${last}</p>`;
    if (run?.nextTryAt)
      return html`<p class="bad" part="message">
          ${words.say(run.error?.code === 'provider_rate_limited' ? 'syncLimited' : 'syncWaits', { provider: name, when: words.until(run.nextTryAt) })}
        </p>
        <p class="soft">${last}</p>`;
    const { fetched = 0, total = null } = run?.progress ?? {};
    const numbers = { fetched: words.number(fetched), total: words.number(Math.max(total ?? 0, fetched)) };
    const text = run?.status === 'running' ? words.say(total === null ? 'syncing' : 'syncingOf', numbers) : words.say('syncQueued');
    return html`<p>${text}</p>
      ${
        total === null
          ? html`<progress aria-label=${text}></progress>`
          : html`<progress aria-label=${text} .value=${fetched} .max=${Math.max(total, fetched, 1)}></progress>`
      }`;
  }

  private question(provider: Provider, { id, account, owner }: Connection): TemplateResult {
    const { words } = this;
    const question = owner === 'user' ? 'disconnectQuestion' : 'disconnectForAllQuestion';
    const end = () => void this.work('disconnect', () => this.used?.disconnect(id));
    return html`<div role="group" aria-labelledby="question" @keydown=${this.leave}>
      <p id="question">${words.say(question, { account: account.name, provider: provider.name })}</p>
      <div class="actions">
        <button part="button" data-focus ?disabled=${this.busy !== ''} @click=${() => (this.asked = '')}>${words.say('cancel')}</button>
        <button class="danger" part="button danger" ?disabled=${this.busy !== ''} @click=${end}>${words.say('disconnect')}</button>
      </div>
    </div>`;
  }

  private readonly leave = ({ key }: KeyboardEvent): void => {
    if (key === 'Escape') this.asked = '';
  };

  private connectPart(provider: Provider, known: number): TemplateResult | typeof nothing {
    if (!provider.configured) return nothing;
    const { words } = this;
    if (this.busy === 'connect') return html`<p class="soft" role="status">${words.say('connecting')}</p>`;
    const isAsked = Boolean(provider.ask) || provider.authType === 'api_key';
    if (isAsked && this.asked === 'connect') return this.form(provider);
    const label = words.say(known === 0 ? 'connect' : 'connectAnother');
    const kind = known === 0 ? 'primary' : 'button';
    const act = () => (isAsked ? (this.asked = 'connect') : this.connect({}));
    return html`<div class="actions">
      <button class=${kind} part="button ${kind}" ?disabled=${this.busy !== ''} @click=${act}>
        ${label}<span class="unseen"> ${provider.name}</span>
      </button>
    </div>`;
  }

  /** @param mended the connection that gets another key */
  private form(provider: Provider, mended?: Connection): TemplateResult {
    const { words } = this;
    const place = mended ? `-${mended.id}` : '';
    const fields = Object.entries(provider.ask ?? {});
    const isKey = provider.authType === 'api_key';
    return html`<form @submit=${(event: SubmitEvent) => this.submit(event, isKey, mended?.id)} @keydown=${this.leave}>
      ${fields.map(
        ([name, { label, example, secret }], index) =>
          html`<label for="field-${name}${place}">${label}</label>
            <input
              id="field-${name}${place}"
              name=${name}
              type=${secret ? 'password' : 'text'}
              placeholder=${secret ? '' : example}
              autocomplete="off"
              required
              ?data-focus=${index === 0}
            />`,
      )}
      ${
        provider.apiKey && isKey
          ? html`<label for="api-key${place}">${words.say('key', { provider: provider.name })}</label>
              <input
                id="api-key${place}"
                name="."
                type="password"
                autocomplete="off"
                required
                aria-describedby="help${place}"
                ?data-focus=${fields.length === 0}
              />
              <p class="soft" id="help${place}">${provider.apiKey.help}</p>`
          : nothing
      }
      <div class="actions">
        <button class="primary" part="button primary" ?disabled=${this.busy !== ''}>
          ${words.say(mended ? 'reconnect' : 'connect')}<span class="unseen"> ${mended?.account.name ?? provider.name}</span>
        </button>
        <button type="button" part="button" @click=${() => (this.asked = '')}>${words.say('cancel')}</button>
      </div>
    </form>`;
  }

  private submit(event: SubmitEvent, isKey: boolean, connectionId?: string): void {
    event.preventDefault();
    const { '.': apiKey, ...fields } = Object.fromEntries(new FormData(event.target as HTMLFormElement)) as Record<string, string>;
    const given = { ...(Object.keys(fields).length > 0 && { fields }), ...(connectionId && { connectionId }) };
    if (isKey) void this.work('key', () => this.used?.connectWithKey(this.provider, { ...given, ...(apiKey && { apiKey }) }));
    else this.connect(given);
  }

  /** In the click: nothing is awaited before the window is asked for. */
  private connect(options: ConnectOptions): void {
    void this.work('connect', () => this.used?.connect(this.provider, options));
  }

  private async work(name: string, act: () => Promise<unknown> | undefined): Promise<void> {
    this.fault = '';
    const work = act();
    this.busy = name;
    try {
      await work;
      this.asked = '';
    } catch (thrown) {
      const error: EmbedError = embedErrorOf(thrown);
      this.fault = this.words.fault(error);
      this.tellFailure(this.provider, error);
    } finally {
      this.busy = '';
    }
  }

  private stateOf({ connected, partial }: Connection): string {
    return this.words.say(connected ? (partial ? 'connectedInPart' : 'connected') : 'reconnectNeeded');
  }

  /** For those who listen: what has changed since it was told last. */
  private say(): void {
    if (this.state?.status !== 'ready') return;
    const { words } = this;
    const provider = this.state.providers.find(({ key }) => key === this.provider)?.name ?? this.provider;
    const now = new Map(
      this.accounts().map(({ connection }) => [
        connection.id,
        words.say('toldState', { provider, account: connection.account.name, state: this.stateOf(connection) }),
      ]),
    );
    const ended = [...this.told.keys()].filter((id) => !now.has(id));
    const names = new Map(this.state.connections.map(({ connection }) => [connection.id, connection.account.name]));
    const news = [
      ...[...now].filter(([id, text]) => this.told.get(id) !== text).map(([, text]) => text),
      ...ended.map((id) => words.say('toldEnded', { provider, account: names.get(id) ?? '' })),
    ];
    if (this.isTold && news.length > 0) this.said = news.join(' ');
    this.told = now;
    this.isTold = true;
  }
  private isTold = false;
}
