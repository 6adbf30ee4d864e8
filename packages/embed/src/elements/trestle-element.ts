import { LitElement, type PropertyValues } from 'lit';
import { EmbedError } from '../embed-error.ts';
import type { EmbedEvents, EmbedState, TrestleEmbed } from '../embed-client.ts';
import { Words } from '../words.ts';
import { clientFor, whenSetUp } from './shared-clients.ts';
import { styles } from './styles.ts';

/** Times are said anew, ms. */
const TICK_MS = 30_000;
const EVENTS = ['connected', 'disconnected', 'error', 'sync'] as const;

/** What both elements have in common: their client, their language, and the events of it as events of the page. */
export abstract class TrestleElement extends LitElement {
  static override styles = styles;
  static override properties = {
    client: { attribute: false },
    baseUrl: { attribute: 'base-url' },
    tokenUrl: { attribute: 'token-url' },
    lang: {},
    theme: { reflect: true },
  };
  /** A client of the page's own; default: the one of `setUp`, or one that asks `token-url`. */
  declare client: TrestleEmbed | undefined;
  declare baseUrl: string | undefined;
  declare tokenUrl: string | undefined;
  declare theme: 'light' | 'dark' | undefined;
  protected used: TrestleEmbed | undefined;
  private ends: (() => void)[] = [];
  private timer: ReturnType<typeof setInterval> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.timer = setInterval(() => this.requestUpdate(), TICK_MS);
    this.listen();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
    this.hush();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (['client', 'baseUrl', 'tokenUrl'].some((name) => changed.has(name))) this.listen();
  }

  protected get words(): Words {
    return new Words(this.lang || this.closest('[lang]')?.getAttribute('lang') || document.documentElement.lang || navigator.language);
  }

  protected get state(): EmbedState | undefined {
    return this.used?.getState();
  }

  /** Whether what happened is for this element. */
  protected abstract concerns(provider: string): boolean;

  /** It has worked out after all. */
  protected forgetFault(): void {
    // an element that shows none
  }

  /** A failure of what the person did here, as an event of the page. */
  protected tellFailure(provider: string, error: EmbedError): void {
    this.dispatchEvent(new CustomEvent('error', { detail: { provider, error }, bubbles: true, composed: true }));
  }

  private listen(): void {
    if (!this.isConnected) return;
    const client = this.client ?? clientFor({ baseUrl: this.baseUrl, tokenUrl: this.tokenUrl });
    if (client === this.used && this.ends.length > 0) return;
    this.hush();
    this.used = client;
    const later = whenSetUp(() => this.listen());
    this.ends = client
      ? [later, client.subscribe(() => this.requestUpdate()), ...EVENTS.map((type) => client.on(type, (event) => this.tell(type, event)))]
      : [later];
    this.requestUpdate();
  }

  private hush(): void {
    for (const end of this.ends) end();
    this.ends = [];
  }

  private tell<Type extends keyof EmbedEvents>(type: Type, event: EmbedEvents[Type]): void {
    const { provider } = event.connection;
    if (!this.concerns(provider)) return;
    if (type === 'connected') this.forgetFault();
    const detail = { provider, ...event };
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }
}
