import { html, nothing, type TemplateResult } from 'lit';
import type { Provider } from '../api.ts';
import { TrestleElement } from './trestle-element.ts';

/** From so many on there is a field to search in. */
const MANY = 9;
const PARTS = 'card, name, status, account, button, primary, danger, message';

/**
 * `<trestle-integrations>`: every provider that can be connected, or that the person has an account at.
 *
 * `providers="slack google"` chooses and orders them. Parts and events are those of `<trestle-connection>`.
 */
export class TrestleIntegrations extends TrestleElement {
  static override properties = { ...TrestleElement.properties, providers: {}, sought: { state: true } };
  declare providers: string | undefined;
  declare private sought: string;

  constructor() {
    super();
    this.sought = '';
  }

  /** The cards tell, and what they tell comes through here. */
  protected override concerns(): boolean {
    return false;
  }

  protected override render(): TemplateResult {
    const { words, state } = this;
    if (!state || state.status === 'loading') return html`<p class="soft" part="message" role="status">${words.say('loading')}</p>`;
    if (state.status === 'failed' && state.error) return html`<p class="bad" part="message" role="alert">${words.fault(state.error)}</p>`;
    const all = this.chosen();
    const found = all.filter(({ name }) => name.toLowerCase().includes(this.sought.trim().toLowerCase()));
    const seek = (event: Event) => (this.sought = (event.target as HTMLInputElement).value);
    return html`${
      all.length >= MANY
        ? html`<input type="search" aria-label=${words.say('search')} placeholder=${words.say('search')} @input=${seek} />`
        : nothing
    }
    ${
      found.length === 0
        ? html`<p class="soft" part="message" role="status">${words.say(all.length === 0 ? 'none' : 'nothingFound')}</p>`
        : html`<ul class="list" part="list" role="list" aria-label=${words.say('title')}>
            ${found.map(
              ({ key }) =>
                html`<li>
                  <trestle-connection
                    provider=${key}
                    exportparts=${PARTS}
                    lang=${words.tag}
                    theme=${this.theme ?? nothing}
                    .client=${this.used}
                  ></trestle-connection>
                </li>`,
            )}
          </ul>`
    }`;
  }

  private chosen(): readonly Provider[] {
    const { providers = [], connections = [] } = this.state ?? {};
    const used = new Set(
      connections.filter(({ connection }) => connection.status !== 'disconnected').map(({ connection }) => connection.provider),
    );
    const wanted = this.providers?.split(/[\s,]+/).filter(Boolean);
    if (wanted) return wanted.flatMap((key) => providers.find((each) => each.key === key) ?? []);
    return providers.filter(({ key, configured }) => configured || used.has(key));
  }
}
