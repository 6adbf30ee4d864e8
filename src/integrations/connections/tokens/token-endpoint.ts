import { Inject, Injectable } from '@nestjs/common';
import { CLOCK, type Clock } from '../../../clock';
import { withDeadline } from '../../../deadline';
import { findIntegrationError, IntegrationError, type IntegrationErrorOptions } from '../../../errors';
import type { ConnectionRef, OAuth2Facts, Provider, TokenGrant } from '../../contract';
import { isMinted, isRefusedSignIn, providerFor, refusalOf } from '../../providers';
import { TenantProviders } from '../clients/tenant-providers';
import { notMade, ProviderFetch } from '../../outbound';
import { appJwt } from './app-jwt';

export interface TokenAnswer {
  readonly body: unknown;
  readonly grants: readonly TokenGrant[];
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** The row of a token is locked while it is renewed, and an idle transaction ends after 60 s. */
const MAX_TIMEOUT_MS = 45_000;

/** Calls of a provider's token endpoint, each once, with a deadline; their failures sorted into the user's, the operator's, the organization's and passing. */
@Injectable()
export class TokenEndpoint {
  constructor(
    private readonly providerFetch: ProviderFetch,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly providers: TenantProviders,
  ) {}

  /** @throws IntegrationError `needs_reauth` where the code is refused; else as `refresh` */
  exchange(provider: Provider, params: Readonly<Record<string, string>>, code: string): Promise<TokenAnswer> {
    return this.call(provider, { ...params, grant_type: 'authorization_code', code }, { step: 'exchange' });
  }

  /**
   * @throws IntegrationError `needs_reauth`: the grant has ended for good; `provider_misconfigured`: our client id or secret is wrong; `organization_forbids`; `refresh_refused`: nobody knows why;
   * any other: passing. `notExecuted` tells whether it is certain that the provider did not rotate the token.
   */
  async refresh(
    base: Provider,
    connection: ConnectionRef,
    token: { kind: string; refreshToken: string },
    signal: AbortSignal,
  ): Promise<TokenAnswer> {
    const provider = await this.providers.of(base, connection);
    if (provider.oauth2?.installation) {
      assertSameApp(provider, token.refreshToken);
      const grant = await this.mintInstalled(provider, connection.metadata, { connection, signal, operation: 'oauth.refresh' });
      return { body: undefined, grants: [grant] };
    }
    if (isMinted(provider.oauth2)) {
      const secrets = JSON.parse(token.refreshToken) as Record<string, string>;
      return this.call(
        provider,
        { grant_type: 'client_credentials' },
        { step: 'refresh', kind: token.kind },
        { connection, signal, secrets },
      );
    }
    return this.call(
      provider,
      { grant_type: 'refresh_token', refresh_token: token.refreshToken },
      { step: 'refresh', kind: token.kind },
      { connection, signal },
    );
  }

  /**
   * A token for secrets of the person's own: a client's id and secret (RFC 6749, 4.4), or what the provider's sign-in call takes. They mint
   * the next one too, and are kept in the refresh token's place.
   */
  async mint(provider: Provider, secrets: Readonly<Record<string, string>>): Promise<TokenAnswer> {
    const { body, grants } = await this.call(provider, { grant_type: 'client_credentials' }, { step: 'exchange' }, { secrets });
    return { body, grants: grants.map((grant) => ({ ...grant, refreshToken: JSON.stringify(secrets) })) };
  }

  /**
   * A token of the installation of the account with these values, for which the app asks in its own name. The connection knows what it is for, so
   * that in the refresh token's place only the app stands that mints.
   * @throws IntegrationError as `refresh`; `organization_forbids`: the installation rests
   */
  async mintInstalled(
    base: Provider,
    values: Readonly<Record<string, unknown>>,
    { signal: stop, ...options }: { connection?: ConnectionRef; signal?: AbortSignal; operation: 'oauth.refresh' | 'oauth.mint' },
  ): Promise<TokenGrant> {
    const provider = providerFor(base, values);
    const { app, key, oauth2: { installation } = {} } = provider;
    if (!installation || app?.by !== 'jwt') throw new IntegrationError('provider_not_configured', { provider: key, notExecuted: true });
    const deadlineMs = this.timeoutMs(provider);
    const mint = async (signal: AbortSignal) => {
      const accessToken = await appJwt(app, this.clock.now());
      const fetch = this.providerFetch.fetchWithoutToken(provider, { ...options, accessToken, deadlineMs, signal });
      const headers = { accept: 'application/json' };
      const answer = await fetch(installation.tokenUrl(values), { method: 'POST', headers, redirect: 'error', signal });
      return installation.read(await answer.json(), this.clock.now());
    };
    const grant = await withDeadline(this.clock, deadlineMs, mint, { stop }).catch((error: unknown) => {
      throw notMade(findIntegrationError(error) ?? new IntegrationError('provider_bad_answer', { provider: key, cause: error }));
    });
    return { ...grant, refreshToken: mintedBy(app.clientId) };
  }

  /** How long a call may take, ms. */
  timeoutMs(provider: Provider): number {
    return Math.min(provider.oauth2?.tokenTimeoutMs ?? DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS);
  }

  private async call(
    provider: Provider,
    params: Readonly<Record<string, string>>,
    context: { step: 'exchange' | 'refresh'; kind?: string },
    options: { connection?: ConnectionRef; signal?: AbortSignal; secrets?: Readonly<Record<string, string>> } = {},
  ): Promise<TokenAnswer> {
    const facts = oauth2FactsOf(providerFor(provider, options.connection?.metadata), options.secrets);
    try {
      return await withDeadline(
        this.clock,
        this.timeoutMs(provider),
        async (signal) => {
          const fetch = this.providerFetch.fetchWithoutToken(provider, {
            connection: options.connection,
            deadlineMs: this.timeoutMs(provider),
            signal,
            operation: `oauth.${context.step}`,
            passThrough: true,
          });
          const response = await fetch(facts.tokenUrl, { ...requestOf(facts, params, options.secrets), signal });
          return grantsOf({ provider, facts }, response, await response.text(), context);
        },
        { stop: options.signal },
      );
    } catch (error) {
      throw sorted(facts, provider, context.step, error);
    }
  }
}

/** In the place of a refresh token, of which there is none. */
const mintedBy = (clientId: string): string => JSON.stringify({ app: clientId });

/** To another app the installation is unknown, which is no reason to end the connection: it may be set up by mistake. */
function assertSameApp({ key, name, oauth2 }: Provider, minted: string): void {
  if (minted === mintedBy(oauth2?.clientId ?? '')) return;
  throw new IntegrationError('provider_misconfigured', {
    provider: key,
    notExecuted: true,
    detail: `It was connected with another app at ${name} than the one that is set up now.`,
    nextStep: 'Let an operator set up that app again, or connect anew.',
  });
}

function oauth2FactsOf({ oauth2, key }: Provider, secrets: Readonly<Record<string, string>> = {}): OAuth2Facts {
  if (!oauth2) throw new IntegrationError('not_supported', { provider: key });
  const { clientId = oauth2.clientId, clientSecret = oauth2.clientSecret } = secrets;
  return { ...oauth2, clientId, clientSecret };
}

function requestOf(
  facts: OAuth2Facts,
  params: Readonly<Record<string, string>>,
  secrets: Readonly<Record<string, string>> = {},
): RequestInit {
  if (facts.signIn) {
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    return { method: 'POST', headers, body: JSON.stringify(facts.signIn(secrets)), redirect: 'error' };
  }
  const type = facts.tokenBody === 'json' ? 'application/json' : 'application/x-www-form-urlencoded';
  const headers: Record<string, string> = { 'content-type': type, accept: 'application/json' };
  const body = new URLSearchParams({ ...params, ...facts.tokenParams });
  if (facts.clientAuth === 'basic') {
    // RFC 6749, 2.3.1: both are form-encoded before they are joined.
    headers.authorization = `Basic ${Buffer.from(`${encodeURIComponent(facts.clientId)}:${encodeURIComponent(facts.clientSecret)}`).toString('base64')}`;
  } else {
    body.set('client_id', facts.clientId);
    body.set('client_secret', facts.clientSecret);
  }
  // The credentials are for this address only: a redirect is not followed.
  const written = facts.tokenBody === 'json' ? JSON.stringify(Object.fromEntries(body)) : body.toString();
  return { method: 'POST', headers, body: written, redirect: 'error' };
}

function grantsOf(
  { provider, facts }: { provider: Provider; facts: OAuth2Facts },
  response: Response,
  text: string,
  context: { step: 'exchange' | 'refresh'; kind?: string },
): TokenAnswer {
  const body = parseJson(text);
  if (!response.ok) throw failureOf(facts, response.status, body);
  if (typeof body !== 'object' || body === null) throw new IntegrationError('provider_bad_answer', { providerStatus: response.status });
  const grants = provider.auth.parseTokenResponse(body, context);
  if (grants.length === 0 || grants.some(({ accessToken }) => typeof accessToken !== 'string' || accessToken === '')) {
    throw new IntegrationError('provider_bad_answer', {
      providerStatus: response.status,
      detail: 'The provider answered without an access token.',
    });
  }
  return { body, grants };
}

function failureOf(facts: OAuth2Facts, status: number, body: unknown): IntegrationError {
  // RFC 6749, 5.2: the code stands in `error`.
  const code = (body as { error?: unknown } | null | undefined)?.error;
  const known = { providerStatus: status, ...(typeof code === 'string' && { providerCode: code.slice(0, 100) }) };
  if (status === 429) return new IntegrationError('provider_rate_limited', { ...known, notExecuted: true });
  if (status >= 500) return new IntegrationError('provider_unavailable', known);
  return new IntegrationError(isRefusedSignIn(facts, status, body) ? 'needs_reauth' : 'connect_failed', { ...known, notExecuted: true });
}

/** What a failed call means: by the provider's own code first, wherever it stood. */
function sorted(facts: OAuth2Facts, provider: Provider, step: 'exchange' | 'refresh', error: unknown): IntegrationError {
  const found = findIntegrationError(error);
  const options: IntegrationErrorOptions = {
    provider: provider.key,
    providerStatus: found?.providerStatus,
    providerCode: found?.providerCode,
    providerRequestId: found?.providerRequestId,
    cause: error,
  };
  if (found?.providerCode !== undefined) {
    const code = refusalOf(facts, found.providerCode);
    if (code) return new IntegrationError(code, { ...options, notExecuted: true });
  }
  // A refusal that nobody knows: whose fault it is cannot be said, so nobody is asked to sign in.
  if (step === 'refresh' && found?.code === 'connect_failed')
    return new IntegrationError('refresh_refused', { ...options, notExecuted: found.notExecuted });
  if (found) return found;
  const name = (error as { name?: unknown } | null)?.name;
  if (name === 'TimeoutError' || name === 'AbortError') return new IntegrationError('provider_timeout', options);
  if (name === 'TypeError') return new IntegrationError('provider_unavailable', options); // what fetch throws for a failed connection
  return new IntegrationError('provider_bad_answer', options);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
