import type { ProviderSettings } from '../../../config/provider-settings';
import { IntegrationError } from '../../../errors';
import type { AccountIdentity, Fetch, ProviderAuth, TokenGrant } from '../../contract';
import { isMinted } from '../minted';
import { pointed } from '../pointed';
import { textAt, valueAt, type Sources } from './at';
import { filled, type Values } from './filled-address';
import { PlainAddresses } from './plain-addresses';
import { nextLink } from './plain-pages';
import type { PlainProvider } from './plain-provider';

const MAX_TOKEN_CHARS = 16_384;
/** Of one consent. */
const MAX_ACCOUNTS = 100;
const CONSENT_SLOT = 'consent';
/** A question about an account that is not the person's is answered so. */
const UNSEEN: readonly string[] = ['provider_forbidden', 'provider_not_found', 'organization_forbids', 'missing_scope'];
/** What it means that the provider does not know the token (any more). */
const GONE: readonly string[] = ['needs_reauth', 'not_connected', 'provider_not_found'];

/** Signing in, as declared: reads the token's answer, asks whose account it is, ends the grant. */
export class PlainAuthService implements ProviderAuth {
  private readonly addresses: PlainAddresses;

  constructor(
    private readonly declaration: PlainProvider,
    private readonly own: ProviderSettings,
  ) {
    this.addresses = new PlainAddresses(declaration, own);
  }

  parseTokenResponse(body: unknown): readonly TokenGrant[] {
    const { token = {}, key, oauth2 } = this.declaration;
    const from: Sources = { json: body };
    const error = textAt(token.error ?? '/error', from);
    if (error !== undefined && error !== 'false')
      throw new IntegrationError('connect_failed', { provider: key, providerCode: codeIn(error), notExecuted: true });
    const accessToken = tokenIn(valueAt(token.access ?? '/access_token', from));
    if (accessToken === undefined) throw new IntegrationError('provider_bad_answer', { provider: key });
    const refreshToken = oauth2?.refresh ? tokenIn(valueAt(token.refresh ?? '/refresh_token', from)) : undefined;
    const expiresInS = Number(valueAt(token.expiresIn ?? '/expires_in', from));
    return [
      {
        kind: 'default',
        accessToken,
        ...(refreshToken !== undefined && { refreshToken }),
        // Where nothing can renew it, its end is noticed when the provider says so.
        ...(expiresInS > 0 && (refreshToken !== undefined || isMinted(oauth2)) && { expiresInS }),
        scopes: scopesIn(valueAt(token.scope ?? '/scope', from)),
      },
    ];
  }

  learn({ tokenBody, callback }: { tokenBody: unknown; callback: Readonly<Record<string, string>> }): Readonly<Record<string, string>> {
    const from: Sources = { json: tokenBody, token: tokenBody, callback };
    const learnt = Object.entries(this.declaration.learn ?? {}).map(([name, at]) => [name, textAt(at, from)?.replace(/\/$/, '')] as const);
    return Object.fromEntries(learnt.filter((entry): entry is [string, string] => entry[1] !== undefined));
  }

  identify({ fetch, tokenBody, callback, values = {} }: Parameters<ProviderAuth['identify']>[0]): ReturnType<ProviderAuth['identify']> {
    const from = { token: tokenBody, ...(callback && { callback }), ask: values };
    return this.declaration.account.several ? this.accounts(fetch, from) : this.account(fetch, from);
  }

  /** Where one consent is for several accounts they share its token. */
  get slotOf(): ProviderAuth['slotOf'] {
    const { account, oauth2 } = this.declaration;
    return account.several && !oauth2?.installation ? () => CONSENT_SLOT : undefined;
  }

  verifyApiKey({ fetch, values = {} }: { fetch: Fetch; values?: Values }): Promise<AccountIdentity> {
    return this.account(fetch, { ask: values });
  }

  /** RFC 7009, or as declared. */
  async revoke({ fetch, fetchAsApp, connection, tokens }: Parameters<NonNullable<ProviderAuth['revoke']>>[0]): Promise<boolean> {
    const { oauth2 } = this.declaration;
    const [token] = tokens;
    if (!oauth2?.revokeUrl || !token || connection.authType === 'api_key') return false;
    const { clientId = '', clientSecret = '' } = this.own;
    const { method = 'POST', as, body, bodyAs = 'form' } = oauth2.revoke ?? {};
    // What stands in its place may be what a person filled in, which the provider is not told again.
    const refreshToken = isMinted(oauth2) ? token.accessToken : (token.refreshToken ?? token.accessToken);
    const values = { ...connection.metadata, accessToken: token.accessToken, refreshToken, clientId, clientSecret };
    const asApp = as === 'app' || (as === undefined && oauth2.clientAuth === 'basic');
    const usual = { token: '{refreshToken}', ...(asApp ? {} : { client_id: '{clientId}', client_secret: '{clientSecret}' }) };
    const fields = Object.entries(body ?? (oauth2.revoke ? {} : usual)).map(([name, value]): [string, string] => [
      name,
      filled(value, values),
    ]);
    try {
      const call = as === 'token' ? fetch : (fetchAsApp ?? fetch);
      const answer = await call(this.addresses.filled('revokeUrl', values), {
        method,
        headers: {
          accept: 'application/json',
          ...(asApp && { authorization: basicOf(clientId, clientSecret) }),
          ...(fields.length > 0 && { 'content-type': TYPES[bodyAs] }),
        },
        ...(fields.length > 0 && {
          body: bodyAs === 'json' ? JSON.stringify(Object.fromEntries(fields)) : new URLSearchParams(fields).toString(),
        }),
      });
      await answer.arrayBuffer();
      return true;
    } catch (error) {
      if (error instanceof IntegrationError && GONE.includes(error.code)) return true;
      throw error;
    }
  }

  private async account(fetch: Fetch, from: Sources): Promise<AccountIdentity> {
    const { account } = this.declaration;
    return this.identityIn({ ...from, json: account.path === undefined ? undefined : await this.ask(fetch, account.path, from.ask ?? {}) });
  }

  /** All that the consent is for, each once. */
  private async accounts(fetch: Fetch, from: Sources): Promise<readonly AccountIdentity[]> {
    const { account, key, name } = this.declaration;
    const { several } = account;
    if (!several) throw new IntegrationError('provider_bad_answer', { provider: key });
    const list = await this.list(fetch, from.ask ?? {});
    if (list.length > MAX_ACCOUNTS)
      throw new IntegrationError('connect_failed', {
        provider: key,
        detail: `${name} gave access to more than ${MAX_ACCOUNTS} accounts.`,
        nextStep: 'Choose fewer of them at the consent.',
      });
    const found = new Map<string, AccountIdentity>();
    const items = new Map<string, unknown>();
    for (const item of list) {
      const values = Object.entries(several.values).map(([field, at]) => [field, textAt(at, { json: item })]);
      const identity = this.identityIn({ ...from, json: item });
      items.set(identity.accountId, item);
      found.set(identity.accountId, { ...identity, metadata: { ...identity.metadata, ...Object.fromEntries(values) } });
    }
    const [first] = found.values();
    if (!first) return [];
    const grantKey = textAt(several.person.id, {
      json: await this.ask(fetch, several.person.path, { ...from.ask, ...first.metadata }, 'GET'),
    });
    if (grantKey === undefined) throw new IntegrationError('provider_bad_answer', { provider: key });
    const all = [...found.values()].map((each) => ({ ...each, grantKey }));
    if (!several.administered) return all;
    const asked = all.map((each) => this.isAdministered(fetch, { identity: each, item: items.get(each.accountId), person: grantKey }));
    const theirs = await Promise.all(asked);
    const given = all.filter((_, index) => theirs[index]);
    if (given.length > 0) return given;
    throw new IntegrationError('connect_failed', {
      provider: key,
      detail: `The app at ${name} is installed on no account that this person administers.`,
      nextStep: 'Install it on the account, or let an administrator of the account connect it.',
    });
  }

  /** Whether the person may give the account away. What cannot be seen is not theirs. */
  private async isAdministered(
    fetch: Fetch,
    { identity, item, person }: { identity: AccountIdentity; item: unknown; person: string },
  ): Promise<boolean> {
    const { administered = [] } = this.declaration.account.several ?? {};
    const kind = administered.find(({ at, is }) => textAt(at, { json: item }) === is);
    if (!kind) return false;
    if ('own' in kind) return textAt(kind.own, { json: item }) === person;
    try {
      const json = await this.ask(fetch, kind.path, identity.metadata ?? {}, 'GET');
      return Object.entries(kind.where).every(([at, is]) => textAt(at, { json }) === is);
    } catch (error) {
      if (error instanceof IntegrationError && UNSEEN.includes(error.code)) return false;
      throw error;
    }
  }

  /** The accounts of a consent, page by page, as far as more of them would be too many. */
  private async list(fetch: Fetch, values: Values): Promise<readonly unknown[]> {
    const { account, key } = this.declaration;
    const all: unknown[] = [];
    let address: string | undefined = this.addresses.below(account.path ?? '', values);
    while (address !== undefined && all.length <= MAX_ACCOUNTS) {
      const answer: Response = await this.askAt(fetch, address, account);
      const list = pointed(await answer.json(), account.several?.items ?? '');
      if (!Array.isArray(list)) throw new IntegrationError('provider_bad_answer', { provider: key });
      all.push(...(list as unknown[]));
      const next = nextLink(answer.headers.get('link'));
      address = next === undefined ? undefined : new URL(next, address).href;
    }
    return all;
  }

  private identityIn(sources: Sources): AccountIdentity {
    const { account, key, learn = {}, ask = {} } = this.declaration;
    const accountId = textAt(account.id, sources);
    if (accountId === undefined)
      throw new IntegrationError('provider_bad_answer', { provider: key, detail: 'The provider did not say which account this is.' });
    const kept = Object.keys({ ...learn, ...ask }).filter((name) => !ask[name]?.secret && sources.ask?.[name] !== undefined);
    const routingKey = textAt(account.routingKey, sources);
    return {
      accountId: accountId.slice(0, 255),
      accountName: (textAt(account.name, sources) ?? accountId).slice(0, 255),
      ...(routingKey !== undefined && { routingKey }),
      metadata: Object.fromEntries(kept.map((name) => [name, sources.ask?.[name]])),
    };
  }

  private async ask(fetch: Fetch, path: string, values: Values, as?: 'GET'): Promise<unknown> {
    const answer = await this.askAt(fetch, this.addresses.below(path, values), as ? {} : this.declaration.account);
    return answer.json();
  }

  private askAt(
    fetch: Fetch,
    address: string,
    { method = 'GET', body }: Pick<PlainProvider['account'], 'method' | 'body'>,
  ): Promise<Response> {
    return fetch(address, {
      method,
      headers: { accept: 'application/json', ...(body && { 'content-type': TYPES.json }) },
      ...(body && { body: JSON.stringify(body) }),
    });
  }
}

/** RFC 6749, 2.3.1: both are form-encoded before they are joined. */
function basicOf(clientId: string, clientSecret: string): string {
  return `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64')}`;
}

const TYPES = { form: 'application/x-www-form-urlencoded', json: 'application/json' } as const;

function tokenIn(value: unknown): string | undefined {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_TOKEN_CHARS ? value : undefined;
}

function scopesIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.filter((scope): scope is string => typeof scope === 'string');
  return typeof value === 'string' ? value.split(/[\s,+]+/).filter(Boolean) : [];
}

/** It goes into a log: only what looks like a code. */
function codeIn(text: string): string | undefined {
  return /^[\w.:-]{1,100}$/.test(text) ? text : undefined;
}
