import { createHash, randomBytes } from 'node:crypto';
import type { PlainProvider } from '../../src/integrations/providers/plain/plain-provider';
import { PlainInstallations, type Grant } from './plain-installations';
import { at, exampleOf, firstOf, put, type Json } from './pointed';

/** What an operation did here. */
export interface Made {
  readonly operation: string;
  readonly path: string;
  /** The fields, without those of the path. */
  readonly fields: Json;
  readonly answer: unknown;
}

/** What the service asked to be told of. */
export interface PlainWatchHere {
  readonly id: string;
  readonly resource: string;
  /** Of which account. */
  readonly account: string;
  readonly address: string;
  readonly channel?: string;
  readonly token?: string;
  expires: string;
}

interface RefreshableGrant extends Grant {
  refresh?: string;
}

interface Code {
  readonly challenge: string | null;
  readonly redirectUri: string;
}

/** Nobody is asked for consent: a token is given for what is known already. */
export const isUnasked = (oauth2: PlainProvider['oauth2']): boolean => ['client_credentials', 'login'].includes(oauth2?.grant ?? '');

/** One pretend provider: its app, its one account, its tokens and what it holds. */
export class PlainWorld {
  readonly clientId: string;
  readonly clientSecret = `secret/${randomBytes(8).toString('hex')}+=`;
  readonly webhookSecret: string;
  readonly accountId = 'acct-1';
  readonly key: string;
  /** Whether keys and minted tokens are taken. */
  admits = true;
  readonly installations: PlainInstallations;
  /** ms since the epoch; a test may set it. */
  now = (): number => Date.now();
  readonly grants: RefreshableGrant[] = [];
  readonly items = new Map<string, Json[]>();
  /** What operations made, in their order, and by the key that they came with. */
  readonly made: Made[] = [];
  readonly madeByKey = new Map<string, Made>();
  /** What the service asked to be told of, by its id here. */
  readonly watches = new Map<string, PlainWatchHere>();
  private readonly codes = new Map<string, Code>();
  private waiting: (() => void)[] = [];

  constructor(readonly declaration: PlainProvider) {
    this.clientId = `${declaration.key}-client`;
    this.webhookSecret = `${declaration.key}-webhook-secret`;
    this.installations = new PlainInstallations(this);
    this.key = declaration.apiKey?.example ?? `key-${randomBytes(8).toString('hex')}`;
  }

  /** What a person fills in, and what is learnt: as an honest one would. */
  get values(): Record<string, string> {
    const { ask = {}, learn = {}, apiBaseUrl, hosts, oauth2, account } = this.declaration;
    const addresses = [apiBaseUrl, oauth2?.tokenUrl, oauth2?.revokeUrl, account.path];
    return Object.fromEntries([
      ...Object.entries(account.several?.values ?? {}).map(([name, place]) => [
        name,
        String(at(this.oneOf(this.accountId), firstOf(place) ?? '')),
      ]),
      ...Object.entries(ask).map(([name, { example }]) => [name, example]),
      ...Object.keys(learn).map((name) => [name, exampleOf(name, addresses, hosts)]),
    ]) as Record<string, string>;
  }

  /** A text with what an honest person fills in. */
  filledIn(text: string): string {
    return text.replace(/\{(\w+)\}/g, (place, name: string) => this.values[name] ?? place);
  }

  /** What signs deliveries. */
  get signingSecret(): string {
    return this.declaration.webhooks?.signedByClient ? this.clientSecret : this.webhookSecret;
  }

  addWatch(watch: PlainWatchHere): void {
    this.watches.set(watch.id, watch);
    for (const told of this.waiting.splice(0)) told();
  }

  /** The newest watch of a resource of the first account, once the service has asked for one. */
  async watchOf(resource: string): Promise<PlainWatchHere> {
    const deadline = AbortSignal.timeout(20_000);
    for (;;) {
      const found = [...this.watches.values()].findLast((watch) => watch.resource === resource && watch.account === this.accountId);
      if (found) return found;
      await new Promise<void>((resolve, reject) => {
        this.waiting.push(resolve);
        deadline.addEventListener('abort', () => reject(new Error(`Nobody asked ${this.declaration.name} for changes of ${resource}.`)), {
          once: true,
        });
      });
    }
  }

  code(query: URLSearchParams): string {
    const code = randomBytes(12).toString('hex');
    this.codes.set(code, { challenge: query.get('code_challenge'), redirectUri: query.get('redirect_uri') ?? '' });
    return code;
  }

  /** @returns why not */
  takeCode(fields: Readonly<Record<string, string>>): string | undefined {
    const code = this.codes.get(fields['code'] ?? '');
    this.codes.delete(fields['code'] ?? '');
    if (!code) return 'invalid_grant';
    if (code.redirectUri !== fields['redirect_uri']) return 'invalid_grant';
    if (code.challenge === null) return undefined;
    const verifier = createHash('sha256')
      .update(fields['code_verifier'] ?? '')
      .digest('base64url');
    return verifier === code.challenge ? undefined : 'invalid_grant';
  }

  /** What is posted to sign in: the declaration's, with what a person fills in. */
  get signIn(): unknown {
    return JSON.parse(this.filledIn(JSON.stringify(this.declaration.oauth2?.signIn)));
  }

  takeRefresh(token: string | undefined): RefreshableGrant | undefined {
    return this.grants.find(({ refresh, revoked }) => refresh !== undefined && refresh === token && !revoked);
  }

  /** The token endpoint's answer, with everything where the declaration looks for it. */
  grant(): Json {
    const { oauth2, token = {} } = this.declaration;
    const grant: RefreshableGrant = { access: `at-${randomBytes(12).toString('hex')}`, expired: false, revoked: false };
    if (oauth2?.refresh) grant.refresh = `rt-${randomBytes(12).toString('hex')}`;
    this.grants.push(grant);
    const body: Json = {};
    put(body, firstOf(token.access) ?? '/access_token', grant.access);
    if (grant.refresh !== undefined) put(body, firstOf(token.refresh) ?? '/refresh_token', grant.refresh);
    if (grant.refresh !== undefined || isUnasked(oauth2)) put(body, firstOf(token.expiresIn) ?? '/expires_in', 3600);
    put(body, firstOf(token.scope) ?? '/scope', (oauth2?.scopes ?? []).join(oauth2?.scopeSeparator ?? ' '));
    this.tell(body);
    return body;
  }

  /** What comes back with the browser, besides code and state. */
  get callback(): Record<string, string> {
    const { learn = {}, account } = this.declaration;
    const told: Record<string, string> = this.declaration.oauth2?.installation
      ? { installation_id: 'acct-others', setup_action: 'install' }
      : {};
    for (const [name, at] of Object.entries(learn)) {
      const place = firstOf(at) ?? '';
      if (place.startsWith('callback:')) told[place.slice(9)] = this.values[name] ?? '';
    }
    const id = firstOf(account.id) ?? '';
    if (id.startsWith('callback:')) told[id.slice(9)] = this.values[Object.keys(learn)[0] ?? ''] ?? this.accountId;
    return told;
  }

  /** What events call the account. */
  get routingKey(): string {
    const { account } = this.declaration;
    const place = firstOf(account.routingKey ?? account.id) ?? '';
    if (place.startsWith('ask:')) return this.values[place.slice(4)] ?? '';
    return place.startsWith('callback:') ? (this.callback[place.slice(9)] ?? '') : this.routingKeyOf(this.accountId);
  }

  /** Who the account is. */
  account(): Json {
    const { account } = this.declaration;
    if (account.several)
      return put(
        {},
        account.several.items,
        [...new Set([...this.accountIds, ...this.installations.kinds.keys()])].map((id) => this.oneOf(id)),
      );
    const body: Json = /^\/\d/.test(firstOf(account.id) ?? '') ? ([] as unknown as Json) : {};
    const name = firstOf(account.name);
    if (name?.startsWith('/')) put(body, name, 'Acme');
    const routing = firstOf(account.routingKey);
    if (routing?.startsWith('/')) put(body, routing, this.accountId);
    const id = firstOf(account.id);
    if (id?.startsWith('/')) put(body, id, this.accountId);
    return body;
  }

  /** Those of one consent. */
  get accountIds(): readonly string[] {
    return this.declaration.account.several ? [this.accountId, 'acct-2'] : [this.accountId];
  }

  /** One of several accounts, as the list of them has it. */
  oneOf(accountId: string): Json {
    const { account } = this.declaration;
    const item: Json = {};
    for (const [place, value] of [
      ...Object.values(account.several?.values ?? {}).map((each) => [each, `of-${accountId}`] as const),
      [account.name, `Acme ${accountId}`] as const,
      [account.routingKey, this.routingKeyOf(accountId)] as const,
      [account.id, accountId] as const,
    ])
      if (firstOf(place)?.startsWith('/')) put(item, firstOf(place)!, value);
    const kind = this.installations.kinds.get(accountId);
    if (kind) put(item, firstOf(kind.at)!, kind.is);
    return item;
  }

  /** What events call it: an origin, where they name it by an address. */
  private routingKeyOf(accountId: string): string {
    return firstOf(this.declaration.webhooks?.routingKey)?.startsWith('origin:') ? `https://${accountId}.example.com` : accountId;
  }

  credentialOf(access: string): RefreshableGrant | undefined {
    return this.grants.find((grant) => grant.access === access);
  }

  private tell(body: Json): void {
    const { learn = {}, account } = this.declaration;
    for (const [name, at] of Object.entries(learn)) {
      const place = (firstOf(at) ?? '').replace(/^token:/, '');
      if (place.startsWith('/')) put(body, place, this.values[name]);
    }
    const claims: Json = {};
    for (const [at, value] of [
      [account.id, this.accountId],
      [account.name, 'Acme'],
    ] as const) {
      const place = firstOf(at) ?? '';
      if (place.startsWith('token:')) put(body, place.slice(6), value);
      if (place.startsWith('id_token:')) put(claims, place.slice(9), value);
    }
    if (Object.keys(claims).length > 0)
      body['id_token'] = ['{}', JSON.stringify(claims), 'x'].map((part) => Buffer.from(part).toString('base64url')).join('.');
  }
}
