import { Inject, Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { inTransaction } from '../../database';
import { withDeadline } from '../../deadline';
import { IntegrationError } from '../../errors';
import { AuditLog } from '../audit';
import {
  ConnectionRepository,
  type ConnectionViewer,
  IntegrationEvents,
  TokenRepository,
  type Connection,
  eventOf,
  PROVIDER_FETCH,
  type ProviderFetch,
  TokenEndpoint,
} from '../connections';
import { Outbox } from '../notifications/outbox';
import type { AccountIdentity, OAuth2Facts, Provider, TokenGrant } from '../contract';
import { filledIn, providerFor, ProviderRegistry } from '../providers';
import { readCallback } from './callback-query';
import { clientFailure, connectFailure, keyFailure, refusedAtProvider } from './connect-failure';
import type { PendingConnect } from './connect-page';
import { ConnectFlowRepository, type ConnectIntent, type FinishedFlow } from './connect-flow.repository';
import { authorizeUrlOf, exchangeCode, type OAuth2Flow } from './oauth2-flow';
import { linkUsedUp } from './known-error';
import { hashOf } from './one-time-secret';
import { resolveReturnTo, withOutcome } from './return-to';

export interface ConnectRequest {
  readonly provider: string;
  readonly returnTo?: string;
  readonly connectionId?: string;
  readonly scopes?: readonly string[];
  /** What the provider asks for: a shop, a region. */
  readonly fields?: Readonly<Record<string, string>>;
  /** What the product calls the user and the organization. */
  readonly display?: ConnectIntent['display'];
}

export interface KeyRequest {
  readonly provider: string;
  readonly apiKey?: string;
  readonly fields?: Readonly<Record<string, string>>;
}

/** A connect session, and the flow at the provider, last this long, ms. */
export const FLOW_LIFE_MS = 10 * 60_000;
/** For asking the provider who has connected, and for trying a key, ms. */
const IDENTIFY_TIMEOUT_MS = 15_000;

/** Connecting an account: by consent at the provider, or by a key. */
@Injectable()
export class ConnectService {
  private readonly logger = new Logger(ConnectService.name);

  constructor(
    private readonly registry: ProviderRegistry,
    private readonly connections: ConnectionRepository,
    private readonly tokens: TokenRepository,
    private readonly flows: ConnectFlowRepository,
    private readonly endpoint: TokenEndpoint,
    private readonly events: IntegrationEvents,
    private readonly dataSource: DataSource,
    @Inject(PROVIDER_FETCH) private readonly providerFetch: ProviderFetch,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly outbox: Outbox,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Step one, by the product's backend: who wants to connect what.
   * @throws IntegrationError `provider_unknown`, `provider_not_configured`, `not_supported`, `invalid_return_to`, `connection_not_found`
   */
  async createSession(viewer: ConnectionViewer, request: ConnectRequest): Promise<{ connectUrl: string; expiresAt: Date }> {
    const provider = this.configured(request.provider);
    oauth2Of(provider);
    resolveReturnTo(request.returnTo, this.settings);
    let owner: { tenant: string; userId: string; metadata?: Readonly<Record<string, unknown>> } = viewer;
    if (request.connectionId !== undefined) {
      const connection = await this.connections.findFor(viewer, request.connectionId);
      if (connection.provider !== provider.key) throw new IntegrationError('connection_not_found');
      owner = connection; // an admin may mend a user's connection; it stays the user's
    }
    const fields = request.fields ?? (owner === viewer ? undefined : fieldsOf(provider, owner));
    const { values } = filledIn(provider, fields);
    const now = this.clock.now();
    const expiresAt = new Date(now + FLOW_LIFE_MS);
    const token = await this.flows.createSession(
      { ...request, fields: values, tenant: owner.tenant, userId: owner.userId },
      new Date(now),
      expiresAt,
    );
    return { connectUrl: `${this.settings.publicUrl}/connect/${provider.key}?session=${token}`, expiresAt };
  }

  /**
   * Step two, the browser arrives with its session: what it is about, which uses nothing up.
   * @throws IntegrationError `unauthorized`, `provider_unknown`, `provider_not_configured`
   */
  async pending(providerKey: string, session: unknown): Promise<PendingConnect> {
    const provider = this.registry.get(providerKey);
    if (typeof session !== 'string') throw linkUsedUp();
    const intent = await this.flows.findSession(session, new Date(this.clock.now()));
    if (intent?.provider !== provider.key) throw linkUsedUp();
    return { provider: this.configured(provider.key), intent, facts: oauth2Of(providerFor(provider, intent.fields)), session };
  }

  /**
   * Step three, the person goes on: takes the session, once, and binds the flow to the browser.
   * @returns the provider's address
   */
  async start({ provider, session }: PendingConnect, browser: string): Promise<string> {
    const intent = await this.flows.takeSession(session, new Date(this.clock.now()));
    if (intent?.provider !== provider.key) throw linkUsedUp();
    return authorizeUrlOf(this.flowOf(provider, intent, browser));
  }

  /**
   * Step four, the browser comes back. The state is taken before anything else of the request is believed, an `error` included.
   * @returns where to send the browser: to `returnTo`, with what came of it
   * @throws IntegrationError where the request belongs to no flow of this browser: it gets a page, not a redirect
   */
  async finish(providerKey: string, query: Readonly<Record<string, unknown>>, browser: string | undefined): Promise<string> {
    const provider = this.registry.get(providerKey);
    const callback = readCallback(query);
    const flow = await this.flows.takeState(callback.state, new Date(this.clock.now()));
    if (!flow || flow.provider !== provider.key || browser === undefined || hashOf(browser) !== flow.browserHash)
      throw new IntegrationError('connect_state_invalid');
    const facts = oauth2Of(providerFor(provider, flow.fields));
    if (callback.issuer !== undefined && callback.issuer !== (facts.issuer ?? new URL(facts.authorizeUrl).origin)) {
      throw new IntegrationError('connect_state_invalid', { detail: 'The answer came from another provider than the one that was asked.' });
    }
    const returnTo = resolveReturnTo(flow.returnTo, this.settings);
    try {
      if ('error' in callback) throw refusedAtProvider(callback.error, facts, provider.key);
      const connection = await this.complete(provider, flow, callback);
      return withOutcome(returnTo, { success: provider.key, connection: connection.id });
    } catch (error) {
      const failure = connectFailure(error);
      this.logger.warn({
        msg: 'Connecting failed',
        provider: provider.key,
        code: failure.code,
        providerCode: failure.providerCode,
        providerStatus: failure.providerStatus,
      });
      return withOutcome(returnTo, { error: failure.code });
    }
  }

  /** Connects with a key, after one real call with it. @throws IntegrationError `credentials_rejected`, `not_supported` */
  async connectWithKey(viewer: ConnectionViewer, request: KeyRequest): Promise<Connection> {
    const base = this.registry.get(request.provider);
    if (base.oauth2?.grant === 'client_credentials') return this.connectWithClient(viewer, base, request.fields);
    const verify = base.auth.verifyApiKey?.bind(base.auth);
    if (!base.apiKey || !verify) throw new IntegrationError('not_supported', { detail: `${base.name} is not connected with a key.` });
    const { values, secrets } = filledIn(base, request.fields);
    const provider = providerFor(base, values);
    const key = request.apiKey?.trim() ?? '';
    if (!base.apiKey.pattern.test(key))
      throw new IntegrationError('credentials_rejected', { nextStep: base.apiKey.help, notExecuted: true });
    // One text is stored: where there are several secrets, all of them as JSON.
    const apiKey = Object.keys(secrets).length === 0 ? key : JSON.stringify({ key, ...secrets });
    const account = await withDeadline(this.clock, IDENTIFY_TIMEOUT_MS, (signal) =>
      verify({
        values,
        fetch: this.providerFetch.fetchWithoutToken(provider, {
          apiKey,
          signal,
          deadlineMs: IDENTIFY_TIMEOUT_MS,
          operation: 'connect.verify-key',
        }),
      }),
    ).catch((error: unknown) => {
      throw keyFailure(error, provider);
    });
    const scopes = account.scopes ?? [];
    return this.store(provider, { ...viewer, provider: provider.key }, 'api_key', account, [
      { kind: 'default', accessToken: apiKey, scopes },
    ]);
  }

  /** With a client of the person's own: a token is minted for it, now and whenever one ends. */
  private async connectWithClient(viewer: ConnectionViewer, base: Provider, fields: KeyRequest['fields']): Promise<Connection> {
    const { values, secrets } = filledIn(base, fields);
    const provider = providerFor(base, values);
    const { body, grants } = await this.endpoint.mint(provider, secrets).catch((error: unknown) => {
      throw clientFailure(error, provider);
    });
    const account = await withDeadline(this.clock, IDENTIFY_TIMEOUT_MS, (signal) =>
      provider.auth.identify({
        fetch: this.providerFetch.fetchWithoutToken(provider, {
          accessToken: grants[0]?.accessToken,
          signal,
          deadlineMs: IDENTIFY_TIMEOUT_MS,
          operation: 'connect.identify',
        }),
        grants,
        tokenBody: body,
        values: { ...values, clientId: secrets['clientId'] },
      }),
    );
    return this.store(provider, { ...viewer, provider: provider.key }, 'oauth2', account, grants);
  }

  private async complete(
    provider: Provider,
    flow: FinishedFlow,
    callback: { code: string; more: Readonly<Record<string, string>> },
  ): Promise<Connection> {
    const { body, grants } = await exchangeCode(this.flowOf(provider, flow, ''), callback.code);
    const values = { ...flow.fields, ...provider.auth.learn?.({ tokenBody: body, callback: callback.more }) };
    const accessToken = grants[0]?.accessToken;
    const account = await withDeadline(this.clock, IDENTIFY_TIMEOUT_MS, (signal) =>
      provider.auth.identify({
        fetch: this.providerFetch.fetchWithoutToken(providerFor(provider, values), {
          accessToken,
          signal,
          deadlineMs: IDENTIFY_TIMEOUT_MS,
          operation: 'connect.identify',
        }),
        grants,
        tokenBody: body,
        callback: callback.more,
        values,
      }),
    );
    return this.store(provider, flow, 'oauth2', account, grants);
  }

  /** Connection and tokens, both or neither. */
  private async store(
    provider: Provider,
    intent: ConnectIntent,
    authType: 'oauth2' | 'api_key',
    account: AccountIdentity,
    grants: readonly TokenGrant[],
  ): Promise<Connection> {
    const at = new Date(this.clock.now());
    const scopes = [...new Set(grants.flatMap((grant) => grant.scopes))];
    const { tenant, userId } = intent;
    const { connection, events } = await inTransaction(this.dataSource, async (manager) => {
      if (intent.connectionId !== undefined) {
        const old = await this.connections.findById(intent.connectionId, manager);
        if (!old) throw new IntegrationError('connection_not_found');
        if (old.accountId !== account.accountId) throw new IntegrationError('account_mismatch', { provider: provider.key });
      }
      const upserted = await this.connections.upsertConnected(manager, {
        tenant,
        userId,
        provider: provider.key,
        authType,
        account,
        client: provider.oauth2?.clientId,
        ownGrant: authType === 'api_key' || provider.oauth2?.grant === 'client_credentials',
        scopes,
        at,
      });
      const slotOf = (kind: string) => provider.auth.slotOf?.(kind, account.metadata ?? {});
      await this.tokens.save(manager, upserted.connection, grants, { mode: 'replace', at, slotOf });
      const slots = grants.flatMap(({ kind }) => slotOf(kind) ?? []);
      const mended = await this.connections.mend(manager, upserted.connection, slots, at);
      const act = { action: 'connection.connect' as const, tenant, target: `connection:${upserted.connection.id}` };
      await this.audit.record(act, 'ok', { runner: manager, actor: { tenant, userId, role: 'user' } });
      const told = eventOf('connection.connected', upserted.connection, at);
      const event = { ...told, data: { ...told.data, created: upserted.created } };
      const events = [event, ...mended.map((each) => eventOf('connection.connected', each, at))];
      await this.outbox.add(manager, events);
      return { connection: upserted.connection, events };
    });
    for (const event of events) this.events.emit(event);
    return connection;
  }

  private flowOf(base: Provider, intent: ConnectIntent & { codeVerifier?: string }, browser: string): OAuth2Flow {
    const provider = providerFor(base, intent.fields);
    return {
      facts: oauth2Of(provider),
      callbackUrl: `${this.settings.publicUrl}/auth/${provider.key}/callback`,
      scopes: intent.scopes,
      codeVerifier: intent.codeVerifier,
      saveState: (codeVerifier) => {
        const now = this.clock.now();
        return this.flows.createState(intent, { browser, codeVerifier }, new Date(now), new Date(now + FLOW_LIFE_MS));
      },
      exchange: (code, params) => this.endpoint.exchange(provider, params, code),
    };
  }

  private configured(key: string): Provider {
    const provider = this.registry.get(key);
    if (!provider.configured) throw new IntegrationError('provider_not_configured', { provider: key });
    return provider;
  }
}

function oauth2Of(provider: Provider): OAuth2Facts {
  if (!provider.oauth2 || provider.oauth2.grant === 'client_credentials')
    throw new IntegrationError('not_supported', { detail: `${provider.name} is connected with a key.`, provider: provider.key });
  return provider.oauth2;
}

/** A reconnect asks nothing that the connection already knows. */
function fieldsOf(
  { ask = {} }: Provider,
  { metadata = {} }: { readonly metadata?: Readonly<Record<string, unknown>> },
): Record<string, string> {
  const known = Object.keys(ask).filter((field) => typeof metadata[field] === 'string');
  return Object.fromEntries(known.map((field) => [field, metadata[field] as string]));
}
