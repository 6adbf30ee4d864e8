import { connectionEvents } from '../../client/src/events.ts';
import { backOffMs, sleep } from '../../client/src/send.ts';
import { TrestleError } from '../../client/src/trestle-error.ts';
import { Api, type Connection, type Provider, type SyncRun } from './api.ts';
import { ConnectWindow } from './connect-window.ts';
import { embedErrorOf, type EmbedError } from './embed-error.ts';
import { TokenKeeper, type GetToken } from './token-keeper.ts';

export interface EmbedOptions {
  /** Where Trestle is reached, e.g. `https://integrations.example.com`. */
  readonly baseUrl: string;
  readonly getToken: GetToken;
}

export interface ConnectionState {
  readonly connection: Connection;
  /** The sync under way. */
  readonly run: SyncRun | null;
}

export interface EmbedState {
  /** `failed`: nothing is known, and `error` says why; it is tried again. */
  readonly status: 'loading' | 'ready' | 'failed';
  /** Whether changes show as they happen: not in a page that is out of sight, or while Trestle is not reached. */
  readonly live: boolean;
  readonly providers: readonly Provider[];
  /** Newest first, those that have ended as well: the person's own, and the organization's (`owner`) where the token opens them. */
  readonly connections: readonly ConnectionState[];
  readonly error: EmbedError | undefined;
}

/** What has happened to a connection, by whomever. */
export interface EmbedEvents {
  connected: { readonly connection: Connection };
  disconnected: { readonly connection: Connection };
  /** It needs to be connected anew. */
  error: { readonly connection: Connection };
  /** A sync goes on, or has ended (`run` is null). */
  sync: ConnectionState;
}

export interface ConnectOptions {
  /** A connection that is connected anew. */
  readonly connectionId?: string;
  /** What the provider asks for, by the names in its `ask`. */
  readonly fields?: Readonly<Record<string, string>>;
}

type Listener<Type extends keyof EmbedEvents> = (event: EmbedEvents[Type]) => void;

/** Of a state that could not be read; doubled from time to time, ms. */
const LONGEST_PAUSE_MS = 60_000;
const EMPTY: EmbedState = { status: 'loading', live: false, providers: [], connections: [], error: undefined };

/**
 * The integrations of the person who is signed in to the product: their state as it changes, and what they can do. No looks: the elements
 * and the hooks stand on it, and a page of one's own can. It follows the state while somebody listens and the page is in sight.
 */
export class TrestleEmbed {
  readonly baseUrl: string;
  private state: EmbedState = EMPTY;
  private readonly tokens: TokenKeeper;
  private readonly api: Api;
  private readonly listeners = new Set<() => void>();
  private readonly handlers = new Map<keyof EmbedEvents, Set<(event: never) => void>>();
  private readonly windows = new Map<string, { window: ConnectWindow; outcome: Promise<Connection> }>();
  private following: AbortController | undefined;

  constructor({ baseUrl, getToken }: EmbedOptions) {
    this.baseUrl = new URL(baseUrl).href.replace(/\/+$/, '');
    this.tokens = new TokenKeeper(getToken);
    this.api = new Api(this.baseUrl, this.tokens);
  }

  /** The state as it is known; another object when it has changed. */
  readonly getState = (): EmbedState => this.state;

  /** Calls `listener` after each change. @returns a function that ends it */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    if (this.listeners.size === 1) this.start();
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.stop();
    };
  };

  /** Hears what happens, while somebody is subscribed. @returns a function that ends it */
  on<Type extends keyof EmbedEvents>(type: Type, listener: Listener<Type>): () => void {
    const handlers = this.handlers.get(type) ?? new Set();
    this.handlers.set(type, handlers.add(listener));
    return () => void handlers.delete(listener);
  }

  /**
   * Opens the window in which the person connects: call it in the click itself, with nothing awaited before.
   * @throws EmbedError `blocked_by_browser`, `denied`, `closed`, `took_too_long`, `token_unavailable`, or a code of Trestle's
   */
  connect(provider: string, options: ConnectOptions = {}): Promise<Connection> {
    const open = this.windows.get(provider);
    if (open) {
      open.window.focus();
      return open.outcome;
    }
    let window: ConnectWindow;
    try {
      window = ConnectWindow.open(this.baseUrl);
    } catch (error) {
      return Promise.reject(embedErrorOf(error));
    }
    const outcome = this.connectIn(window, provider, options).finally(() => this.windows.delete(provider));
    this.windows.set(provider, { window, outcome });
    return outcome;
  }

  /** Connects by what the person typed. @throws EmbedError `credentials_rejected`, `account_mismatch`, ... */
  async connectWithKey(provider: string, given: ConnectOptions & { readonly apiKey?: string }): Promise<Connection> {
    const connection = await this.orTold(this.api.call<Connection>('POST', '/v1/connections', { provider, ...given }));
    this.put({ connection, run: null });
    return connection;
  }

  /** Ends the connection: its access ends at once, what was synced stays. */
  async disconnect(id: string): Promise<void> {
    await this.orTold(this.api.call('DELETE', `/v1/connections/${encodeURIComponent(id)}`));
    await this.read(id);
  }

  /** Asks for a sync now; one that runs already is the answer. */
  async sync(id: string): Promise<SyncRun> {
    const run = await this.orTold(
      this.api.call<SyncRun>('POST', `/v1/connections/${encodeURIComponent(id)}/syncs`, { type: 'incremental' }),
    );
    await this.read(id);
    return run;
  }

  private async connectIn(window: ConnectWindow, provider: string, options: ConnectOptions): Promise<Connection> {
    let before: Set<string> | undefined;
    try {
      const session = this.api.call<{ connectUrl: string }>('POST', '/v1/connect-sessions', { provider, ...options });
      [before] = await Promise.all([this.connectedAt(provider, options.connectionId).catch(() => undefined), session]);
      window.lead((await session).connectUrl);
    } catch (error) {
      window.close();
      throw embedErrorOf(error);
    }
    const id = await window.outcome(provider, async () => {
      const now = await this.connectedAt(provider, options.connectionId);
      return before && [...now].find((each) => !before.has(each));
    });
    // The window said so; what counts is what is.
    return this.orTold(this.read(id));
  }

  /** The person's own, and the one that is connected anew: the organization's others are connected by other people meanwhile. */
  private async connectedAt(provider: string, mended: string | undefined): Promise<Set<string>> {
    const { data } = await this.api.call<{ data: Connection[] }>('GET', `/v1/connections?provider=${encodeURIComponent(provider)}`);
    return new Set(data.filter(({ connected, owner, id }) => connected && (owner === 'user' || id === mended)).map(({ id }) => id));
  }

  private async read(id: string): Promise<Connection> {
    const connection = await this.api.call<Connection>('GET', `/v1/connections/${encodeURIComponent(id)}`);
    const known = this.state.connections.find((each) => each.connection.id === id);
    this.put({ connection, run: connection.syncInProgress ? (known?.run ?? null) : null });
    return connection;
  }

  private orTold<T>(work: Promise<T>): Promise<T> {
    return work.catch((error: unknown) => {
      throw embedErrorOf(error);
    });
  }

  private start(): void {
    document.addEventListener('visibilitychange', this.turn);
    this.turn();
  }

  private stop(): void {
    document.removeEventListener('visibilitychange', this.turn);
    this.pause();
  }

  private readonly turn = (): void => {
    if (document.hidden) return this.pause();
    if (this.following) return;
    this.following = new AbortController();
    void this.follow(this.following.signal);
  };

  private pause(): void {
    this.following?.abort();
    this.following = undefined;
    this.change({ live: false });
  }

  private async follow(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      try {
        const { data: providers } = await this.api.call<{ data: Provider[] }>('GET', '/v1/providers');
        if (signal.aborted) return;
        this.change({ providers });
        const stream = connectionEvents(`${this.baseUrl}/v1/connection-events`, { token: () => this.tokens.get() }, { signal });
        for await (const { type, data } of stream) {
          failures = 0;
          if (signal.aborted) return;
          this.hear(type, data);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof TrestleError && error.status === 401) this.tokens.forget();
        this.change({ live: false, error: embedErrorOf(error), ...(this.state.status !== 'ready' && { status: 'failed' }) });
      }
      failures++;
      await sleep(Math.min(LONGEST_PAUSE_MS, backOffMs(failures) + 500 * 2 ** failures), signal).catch(() => undefined);
    }
  }

  private hear(type: string, data: unknown): void {
    if (type === 'connection') this.put(data as ConnectionState);
    else if (type === 'gone') this.keep((id) => id !== (data as { id: string }).id);
    else if (type === 'ready') {
      const { ids } = data as { ids: string[] };
      this.keep((id) => ids.includes(id));
      this.change({ status: 'ready', live: true, error: undefined });
    }
  }

  private keep(stays: (id: string) => boolean): void {
    const connections = this.state.connections.filter(({ connection }) => stays(connection.id));
    if (connections.length < this.state.connections.length) this.change({ connections });
  }

  private put(next: ConnectionState): void {
    const { connections, status } = this.state;
    const before = connections.find(({ connection }) => connection.id === next.connection.id);
    const others = connections.filter((each) => each !== before);
    this.change({ connections: [...others, next].sort((a, b) => (a.connection.id < b.connection.id ? 1 : -1)) });
    if (status === 'ready') this.tell(before, next);
  }

  private tell(before: ConnectionState | undefined, next: ConnectionState): void {
    const { connection } = next;
    if (before?.connection.status !== connection.status) {
      const type = { connected: 'connected', needs_reauth: 'error', disconnected: 'disconnected' } as const;
      this.emit(type[connection.status], { connection });
    }
    const hasMoved = JSON.stringify(before?.run ?? null) !== JSON.stringify(next.run);
    if (hasMoved || (before && before.connection.lastSync !== connection.lastSync)) this.emit('sync', next);
  }

  private emit<Type extends keyof EmbedEvents>(type: Type, event: EmbedEvents[Type]): void {
    for (const handler of this.handlers.get(type) ?? []) (handler as Listener<Type>)(event);
  }

  private change(part: Partial<EmbedState>): void {
    this.state = { ...this.state, ...part };
    for (const listener of this.listeners) listener();
  }
}
