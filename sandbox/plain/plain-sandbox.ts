import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { PlainProvider } from '../../src/integrations/providers/plain/plain-provider';
import { confirmation } from './plain-confirmation';
import { verdictOn } from './plain-credential';
import { listPage } from './plain-lists';
import { carriedOut } from './plain-made';
import { firstOf, put, type Json } from './pointed';
import { watchCall } from './plain-watches';
import { isUnasked, PlainWorld } from './plain-world';

export interface PlainRequest {
  readonly provider: string;
  readonly what: 'authorize' | 'token' | 'revoke' | 'api';
  readonly path: string;
  readonly query: string;
  readonly text: string;
  readonly status: number;
  /** Of a token call. */
  readonly grantType?: string;
  /** Why it was refused. */
  readonly refused?: string;
  /** Whether it was an operation. */
  readonly acted?: boolean;
}

interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text is sent as it is. */
  readonly body?: unknown;
  /** It is not given before. */
  readonly until?: Promise<unknown>;
}

type Promised<T> = T | Promise<T>;

const MAX_BODY = 1024 * 1024;

/** Every plain provider on one port, derived from its declaration: `/<key>/authorize`, `/<key>/token`, `/<key>/revoke`, `/<key>/api/...`. */
export class PlainSandbox {
  readonly worlds = new Map<string, PlainWorld>();
  readonly requests: PlainRequest[] = [];
  /** The next call of the API is answered so. */
  private readonly next = new Map<string, Reply>();
  private readonly always = new Map<string, Reply>();
  /** The next call of the token endpoint is answered so. */
  private readonly nextTokens = new Map<string, Reply>();
  private readonly alwaysTokens = new Map<string, Reply>();
  /** The next operation is carried out, and its connection cut before the answer. */
  private readonly cuts = new Set<string>();
  private constructor(
    readonly origin: string,
    private readonly server: Server,
  ) {}

  static async start(declarations: readonly PlainProvider[]): Promise<PlainSandbox> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const sandbox = new PlainSandbox(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, server);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void sandbox.answer(request, response));
    for (const declaration of declarations) sandbox.worlds.set(declaration.key, new PlainWorld(declaration));
    return sandbox;
  }

  world(key: string): PlainWorld {
    const world = this.worlds.get(key);
    if (!world) throw new Error(`The sandbox has no ${key}.`);
    return world;
  }

  /** The settings that send the service here. */
  env(): Record<string, string> {
    const env: Record<string, string> = {};
    for (const { declaration, clientId, clientSecret, webhookSecret } of this.worlds.values()) {
      const { key, oauth2, account, webhooks, app } = declaration;
      const prefix = key.toUpperCase().replaceAll('-', '_');
      env[`${prefix}_API_BASE_URL`] = `${this.origin}/${key}/api/${placesIn(declaration.apiBaseUrl)}`;
      if (account.path?.startsWith('https:')) env[`${prefix}_USERINFO_URL`] = `${this.origin}/${key}/api/userinfo`;
      if (webhooks && webhooks.scheme.kind !== 'watch' && !webhooks.signedByClient) env[`${prefix}_WEBHOOK_SECRET`] = webhookSecret;
      if (!oauth2) continue;
      env[`${prefix}_TOKEN_URL`] = `${this.origin}/${key}/token/${placesIn(oauth2.tokenUrl)}`;
      if (oauth2.revokeUrl) env[`${prefix}_REVOKE_URL`] = `${this.origin}/${key}/revoke`;
      if (isUnasked(oauth2) && !app) continue;
      if (!isUnasked(oauth2)) env[`${prefix}_AUTHORIZE_URL`] = `${this.origin}/${key}/authorize`;
      env[`${prefix}_CLIENT_ID`] = clientId;
      env[`${prefix}_CLIENT_SECRET`] = clientSecret;
      if (app?.by === 'jwt') env[`${prefix}_PRIVATE_KEY`] = Buffer.from(this.world(key).installations.privateKey).toString('base64');
    }
    return env;
  }

  answerNext(key: string, reply: Reply): void {
    this.next.set(key, reply);
  }

  answerNextToken(key: string, reply: Reply): void {
    this.nextTokens.set(key, reply);
  }

  /** Every token of an installation that is asked for, until it is called without. */
  answerTokens(key: string, reply?: Reply): void {
    if (reply) this.alwaysTokens.set(key, reply);
    else this.alwaysTokens.delete(key);
  }

  /** Every call of the API is answered so, until it is called without. */
  answerAll(key: string, reply?: Reply): void {
    if (reply) this.always.set(key, reply);
    else this.always.delete(key);
  }

  cutNext(key: string): void {
    this.cuts.add(key);
  }

  expireTokens(key: string): void {
    for (const grant of this.world(key).grants) grant.expired = true;
  }

  revokeTokens(key: string): void {
    for (const grant of this.world(key).grants) grant.revoked = true;
    this.world(key).admits = false;
  }

  /** All installations rest, until they are let go on. */
  suspend(key: string, rests = true): void {
    const { installations, accountIds } = this.world(key);
    const { resting } = installations;
    for (const id of accountIds) if (rests) resting.add(id);
    if (!rests) resting.clear();
  }

  /** After a revocation: the person may connect anew. */
  admitAgain(key: string): void {
    this.world(key).grants.length = 0;
    this.world(key).admits = true;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.origin);
    const [, key = '', what = '', ...rest] = url.pathname.split('/');
    const world = this.worlds.get(key);
    const text = await bodyOf(request);
    const { reply, ...noted } = world
      ? await this.replyTo(world, what, { request, url, text, path: rest.join('/') })
      : { reply: { status: 404 } as Reply };
    this.requests.push({
      provider: key,
      what: what as PlainRequest['what'],
      path: rest.join('/'),
      query: url.search,
      text,
      status: reply.status,
      ...noted,
    });
    if (noted.acted && this.cuts.delete(key)) return void request.socket.destroy();
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
    response.end(reply.body === undefined ? '' : typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body));
  }

  private replyTo(
    world: PlainWorld,
    what: string,
    call: { request: IncomingMessage; url: URL; text: string; path: string },
  ): Promised<{ reply: Reply; grantType?: string; refused?: string; acted?: boolean }> {
    switch (what) {
      case 'authorize':
        return authorize(world, call.url.searchParams);
      case 'token':
        return this.token(world, call);
      case 'revoke':
        return revoke(world, call);
      case 'api':
        return this.api(world, call);
      default:
        return { reply: { status: 404 } };
    }
  }

  private token(world: PlainWorld, call: { request: IncomingMessage; text: string }): ReturnType<typeof token> {
    const { key, oauth2 } = world.declaration;
    const planned = this.nextToken(key);
    if (planned) return { reply: planned };
    return oauth2?.grant === 'login' ? signIn(world, call) : token(world, call);
  }

  private nextToken(key: string): Reply | undefined {
    const planned = this.nextTokens.get(key);
    this.nextTokens.delete(key);
    return planned;
  }

  private async api(
    world: PlainWorld,
    { request, url, path, text }: { request: IncomingMessage; url: URL; path: string; text: string },
  ): Promise<{ reply: Reply; acted?: boolean; what?: 'token'; grantType?: string }> {
    const { key } = world.declaration;
    const minted = request.method === 'POST' ? world.installations.mintedAt(path) : undefined;
    if (minted !== undefined)
      return {
        reply: this.nextToken(key) ?? this.alwaysTokens.get(key) ?? world.installations.mint(minted, request.headers),
        what: 'token',
        grantType: 'installation',
      };
    const verdict = verdictOn(world, { headers: request.headers, query: url.searchParams });
    if (verdict !== 'good') return { reply: refusal(world, verdict) };
    if (world.installations.isForAnother(path, request.headers))
      return { reply: { status: 403, body: { message: 'not by this integration' } } };
    const planned = this.next.get(key) ?? this.always.get(key);
    this.next.delete(key);
    await planned?.until;
    if (planned) return { reply: planned };
    const places = placesIn(world.declaration.apiBaseUrl).split('/').filter(Boolean);
    const parts = path.split('/');
    const { several } = world.declaration.account;
    const filledIn = places.every((place, at) => {
      const given = decodeURIComponent(parts[at] ?? '');
      return (several && world.accountIds.includes(given)) || given === (world.values[place.slice(1, -1)] ?? '').replace(/\/$/, '');
    });
    if (path !== 'userinfo' && !filledIn) return { reply: { status: 404, body: { message: 'another address' } } };
    const below = `${parts.slice(path === 'userinfo' ? 0 : places.length).join('/')}`;
    const call = { method: request.method ?? 'GET', path: below, text, headers: request.headers };
    if (several && call.method === 'GET' && below === several.person.path)
      return { reply: { status: 200, body: put({}, firstOf(several.person.id) ?? '/id', world.installations.personId) } };
    const membership = world.installations.membership(path);
    if (membership) return { reply: { status: 200, body: membership } };
    const confirmed = confirmation(world, call);
    if (confirmed) return { reply: confirmed };
    const watched = await watchCall(world, { ...call, account: world.accountIds.find((id) => parts.includes(id)) ?? world.accountId });
    if (watched) return { reply: watched };
    const list = listPage(world, { ...call, url });
    if (list) return { reply: list };
    const done = carriedOut(world, call);
    return done ? { reply: done, acted: true } : { reply: { status: 200, body: world.account() } };
  }
}

/** The places of an address as segments of a path, so that what was filled in can be seen. */
function placesIn(address: string): string {
  return [...address.matchAll(/\{(\w+)\}/g)].map(([place]) => `${place}/`).join('');
}

function authorize(world: PlainWorld, query: URLSearchParams): { reply: Reply; refused?: string } {
  const { oauth2 } = world.declaration;
  const scopes = (oauth2?.scopes ?? []).join(oauth2?.scopeSeparator ?? ' ');
  const wrong =
    query.get('client_id') !== world.clientId
      ? 'client_id'
      : query.get('response_type') !== 'code'
        ? 'response_type'
        : (query.get('code_challenge_method') === 'S256') !== Boolean(oauth2?.pkce)
          ? 'code_challenge_method'
          : (query.get('scope') ?? '') !== scopes
            ? 'scope'
            : Object.entries(oauth2?.authorizeParams ?? {}).find(([name, value]) => query.get(name) !== value)?.[0];
  if (wrong !== undefined) return { reply: { status: 400, body: { error: wrong } }, refused: wrong };
  const target = new URL(query.get('redirect_uri') ?? '');
  const told = { code: world.code(query), state: query.get('state') ?? '', ...world.callback };
  for (const [name, value] of Object.entries(told)) target.searchParams.set(name, value);
  return { reply: { status: 302, headers: { location: target.href } } };
}

/** Takes what a person was shown to fill in, as the declaration posts it and in no other way. */
function signIn(world: PlainWorld, { request, text }: { request: IncomingMessage; text: string }): ReturnType<typeof token> {
  const isJson = request.method === 'POST' && request.headers['content-type'] === 'application/json';
  const isRight = isJson && isDeepStrictEqual(JSON.parse(text), world.signIn);
  if (!isRight || !world.admits)
    return { reply: { status: 401, body: { message: 'no such sign-in' } }, refused: 'sign-in', grantType: 'login' };
  return { reply: { status: 200, body: world.grant() }, grantType: 'login' };
}

function token(
  world: PlainWorld,
  { request, text }: { request: IncomingMessage; text: string },
): { reply: Reply; grantType?: string; refused?: string } {
  const { oauth2 } = world.declaration;
  const isJson = (request.headers['content-type'] ?? '').startsWith('application/json');
  const refuse = (status: number, error: string, why = error) => ({ reply: { status, body: { error } }, refused: why });
  if (isJson !== (oauth2?.tokenBody === 'json')) return refuse(400, 'invalid_request', 'body');
  const fields = (isJson ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text))) as Record<string, string>;
  const shows = ([id, secret]: readonly [string, string]) =>
    oauth2?.clientAuth === 'basic'
      ? request.headers.authorization ===
        `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`
      : fields['client_id'] === id && fields['client_secret'] === secret;
  const ofThePerson = oauth2?.grant === 'client_credentials' && shows(['your-client-id', 'your-client-secret']);
  const ofTheApp = (oauth2?.grant !== 'client_credentials' || world.declaration.app) && shows([world.clientId, world.clientSecret]);
  if (!ofThePerson && !ofTheApp) return refuse(401, 'invalid_client');
  const own = ofThePerson || (world.declaration.app && fields['grant_type'] === 'client_credentials');
  const params = Object.entries(oauth2?.tokenParams ?? {}).map(([name, text]) => [name, world.filledIn(text)] as const);
  const missing = params.find(([name, value]) => fields[name] !== value);
  if (missing) return refuse(400, 'invalid_request', missing[0]);
  const grantType = fields['grant_type'] ?? '';
  if (grantType === 'refresh_token') {
    const grant = world.takeRefresh(fields['refresh_token']);
    if (!grant) return { ...refuse(400, 'invalid_grant'), grantType };
    grant.revoked = true;
  } else if (own) {
    if (grantType !== (oauth2?.tokenParams?.['grant_type'] ?? 'client_credentials')) return refuse(400, 'unsupported_grant_type');
    if (!world.admits) return { ...refuse(400, 'invalid_grant'), grantType };
  } else {
    const why = world.takeCode(fields);
    if (why) return { ...refuse(400, why), grantType };
  }
  return { reply: { status: 200, body: world.grant() }, grantType };
}

/** A client ends what was given to itself; one that is shown, in the body or as Basic, must be the one that this world knows. */
function revoke(world: PlainWorld, { request, text }: { request: IncomingMessage; text: string }): { reply: Reply; refused?: string } {
  const isJson = (request.headers['content-type'] ?? '').startsWith('application/json');
  const fields = (isJson ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text))) as Record<string, string>;
  const [, basic] = /^Basic (.+)$/.exec(request.headers.authorization ?? '') ?? [];
  const inBasic = basic === undefined ? undefined : decodeURIComponent(Buffer.from(basic, 'base64').toString('utf8').split(':')[0] ?? '');
  if ([fields['client_id'], inBasic].some((id) => id !== undefined && id !== world.clientId))
    return { reply: { status: 401, body: { error: 'invalid_client' } }, refused: 'client_id' };
  for (const grant of world.grants) grant.revoked = true;
  return { reply: { status: 200, body: {} } };
}

/** As the declaration says that an ended token is told of. */
function refusal({ declaration: { faults = [] } }: PlainWorld, verdict: 'bad' | 'expired'): Reply {
  const fault = verdict === 'expired' ? faults.find(({ tokenExpired }) => tokenExpired) : undefined;
  const body: Json = { message: verdict };
  const place = firstOf(fault?.at);
  if (place?.startsWith('/')) put(body, place, [fault?.is].flat()[0] ?? 'expired');
  return { status: fault?.status ?? 401, body };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) if ((size += chunk.length) <= MAX_BODY) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
