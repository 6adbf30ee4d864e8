import { Inject, Injectable, Logger } from '@nestjs/common';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { findIntegrationError, IntegrationError } from '../../errors';
import { currentActor } from '../audit';
import { ConnectionRepository, TenantProviders, TokenEndpoint, type Connection, type ConnectionViewer } from '../connections';
import type { AccountIdentity, OAuth2Facts, Provider } from '../contract';
import { filledIn, isConsented, providerFor, redirectAddress } from '../providers';
import { AccountLookup } from './account-lookup';
import { askedInPerson, assertAllowed, assertUsual, heldUserScopes, type AskedScopes } from './asked-scopes';
import { readCallback } from './callback-query';
import { knownFields, ownershipOf, type ChosenOwner } from './chosen-owner';
import { connectFailure, refusedAtProvider } from './connect-failure';
import { ConnectedAccounts, type GrantedAccount } from './connected-accounts';
import type { PendingConnect } from './connect-page';
import { ConnectFlowRepository, type ConnectIntent, type FinishedFlow } from './connect-flow.repository';
import { authorizeUrlOf, exchangeCode, type OAuth2Flow } from './oauth2-flow';
import { linkUsedUp } from './known-error';
import { hashOf } from './one-time-secret';
import { resolveReturnTo, withOutcome } from './return-to';

export interface ConnectRequest extends ChosenOwner, AskedScopes {
  readonly provider: string;
  readonly returnTo?: string;
  readonly connectionId?: string;
  /** What the provider asks for: a shop, a region. */
  readonly fields?: Readonly<Record<string, string>>;
  /** What the product calls the user and the organization. */
  readonly display?: ConnectIntent['display'];
}

/** The kind of the news of a flow that ended. */
export const CONNECT_NEWS = 'connect';

export interface FinishedConnect {
  readonly location: string;
  readonly of: { readonly tenant: string; readonly userId: string };
  /** `success` and `connection`, or `error`; with `provider`. */
  readonly outcome: Readonly<Record<string, string>>;
}

/** A connect session, and the flow at the provider, last this long, ms. */
export const FLOW_LIFE_MS = 10 * 60_000;
/** Connecting an account by consent at the provider. */
@Injectable()
export class ConnectService {
  private readonly logger = new Logger(ConnectService.name);

  constructor(
    private readonly providers: TenantProviders,
    private readonly connections: ConnectionRepository,
    private readonly flows: ConnectFlowRepository,
    private readonly endpoint: TokenEndpoint,
    private readonly lookup: AccountLookup,
    private readonly accounts: ConnectedAccounts,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * Step one, by the product's backend: who wants to connect what.
   * @throws IntegrationError `provider_unknown`, `provider_not_configured`, `not_supported`, `scope_not_allowed`, `invalid_return_to`, `connection_not_found`
   */
  async createSession(viewer: ConnectionViewer, request: ConnectRequest): Promise<{ connectUrl: string; expiresAt: Date }> {
    const { provider, client } = await this.providers.toConnect(request.provider, viewer.tenant);
    const facts = oauth2Of(provider);
    assertAllowed(provider.key, facts, request, this.settings.providers[provider.key]?.scopes);
    resolveReturnTo(request.returnTo, this.settings);
    if (viewer.viaBrowserToken) assertUsual(request);
    const { fields, userScopes, ...rest } = request;
    const { old, ...whose } = await ownershipOf(this.connections, viewer, request);
    const inPerson = askedInPerson(whose.owner, userScopes ?? (old && heldUserScopes(facts, old.scopes)));
    const { values } = filledIn(provider, fields ?? (old && knownFields(provider, old)));
    const now = this.clock.now();
    const expiresAt = new Date(now + FLOW_LIFE_MS);
    const token = await this.flows.createSession(
      {
        ...rest,
        userScopes: inPerson,
        ...(old && { connectionId: old.id }),
        fields: values,
        ...whose,
        maker: currentActor(),
        client,
      },
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
    const { key } = this.providers.get(providerKey);
    if (typeof session !== 'string') throw linkUsedUp();
    const intent = await this.flows.findSession(session, new Date(this.clock.now()));
    if (intent?.provider !== key) throw linkUsedUp();
    const provider = await this.providers.begunWith(key, intent);
    return { provider, intent, facts: oauth2Of(providerFor(provider, intent.fields)), session };
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
   * @returns where to send the browser: to `returnTo`, with what came of it, and whom that concerns
   * @throws IntegrationError where the request belongs to no flow of this browser: it gets a page, not a redirect
   */
  async finish(providerKey: string, query: Readonly<Record<string, unknown>>, browser: string | undefined): Promise<FinishedConnect> {
    const { key } = this.providers.get(providerKey);
    const callback = readCallback(query);
    const flow = await this.flows.takeState(callback.state, new Date(this.clock.now()));
    if (!flow || flow.provider !== key || browser === undefined || hashOf(browser) !== flow.browserHash)
      throw new IntegrationError('connect_state_invalid');
    const provider = await this.providers.begunWith(key, flow);
    const facts = oauth2Of(providerFor(provider, flow.fields));
    if (callback.issuer !== undefined && callback.issuer !== (facts.issuer ?? new URL(facts.authorizeUrl).origin)) {
      throw new IntegrationError('connect_state_invalid', { detail: 'The answer came from another provider than the one that was asked.' });
    }
    const returnTo = resolveReturnTo(flow.returnTo, this.settings);
    try {
      if ('error' in callback) throw refusedAtProvider(callback.error, facts, provider.key);
      const [first, ...more] = await this.complete(provider, flow, callback);
      const all = more.length > 0 && { connections: [first, ...more].map(({ id }) => id).join(',') };
      return finished(flow, returnTo, { success: provider.key, connection: first.id, ...all });
    } catch (error) {
      const failure = connectFailure(error);
      this.logger.warn({
        msg: 'Connecting failed',
        provider: provider.key,
        code: failure.code,
        providerCode: failure.providerCode,
        providerStatus: failure.providerStatus,
      });
      return finished(flow, returnTo, { error: failure.code });
    }
  }

  private async complete(
    base: Provider,
    flow: FinishedFlow,
    callback: { code: string; more: Readonly<Record<string, string>> },
  ): Promise<readonly [Connection, ...Connection[]]> {
    const answer = await exchangeCode(this.flowOf(base, flow, ''), callback.code);
    const values = { ...flow.fields, ...base.auth.learn?.({ tokenBody: answer.body, callback: callback.more }) };
    const found = await this.lookup.byGrant(providerFor(base, values), answer, { values, callback: callback.more });
    const given = { provider: base, intent: flow, authType: 'oauth2' as const };
    const { grants } = answer;
    if (base.oauth2?.installation) return this.accounts.saveEach(given, await this.installed(given, [found].flat()));
    return 'accountId' in found
      ? [await this.accounts.save({ ...given, account: found, grants })]
      : this.accounts.saveAll({ ...given, grants }, found);
  }

  /** A token for each installation. One that rests, or has ended just now, is left out, unless there is no other. */
  private async installed(
    { provider, intent }: { readonly provider: Provider; readonly intent: FinishedFlow },
    found: readonly AccountIdentity[],
  ): Promise<readonly GrantedAccount[]> {
    const accounts = await this.accounts.wanted({ provider, intent }, found);
    const minted = await Promise.allSettled(
      accounts.map(async (account) => ({
        account,
        grants: [await this.endpoint.mintInstalled(provider, account.metadata ?? {}, { operation: 'oauth.mint' })],
      })),
    );
    const granted = minted.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const failures = minted.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
    const passes = (error: unknown) => ['organization_forbids', 'needs_reauth'].includes(findIntegrationError(error)?.code ?? '');
    const failure = granted.length === 0 ? failures[0] : failures.find((error) => !passes(error));
    if (failure !== undefined) throw failure as Error;
    return granted;
  }

  private flowOf(base: Provider, intent: ConnectIntent & { codeVerifier?: string }, browser: string): OAuth2Flow {
    const provider = providerFor(base, intent.fields);
    return {
      facts: oauth2Of(provider),
      callbackUrl: redirectAddress(this.settings.publicUrl, provider.key),
      scopes: intent.scopes,
      userScopes: intent.userScopes,
      codeVerifier: intent.codeVerifier,
      saveState: (codeVerifier) => {
        const now = this.clock.now();
        return this.flows.createState(intent, { browser, codeVerifier }, new Date(now), new Date(now + FLOW_LIFE_MS));
      },
      exchange: (code, params) => this.endpoint.exchange(provider, params, code),
    };
  }
}

function finished({ tenant, userId, provider }: FinishedFlow, returnTo: URL, outcome: Readonly<Record<string, string>>): FinishedConnect {
  return { location: withOutcome(returnTo, outcome), of: { tenant, userId }, outcome: { provider, ...outcome } };
}

function oauth2Of(provider: Provider): OAuth2Facts {
  if (!isConsented(provider.oauth2))
    throw new IntegrationError('not_supported', { detail: `${provider.name} is connected with a key.`, provider: provider.key });
  return provider.oauth2;
}
