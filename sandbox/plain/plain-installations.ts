import { generateKeyPairSync, randomBytes, verify, type KeyPairKeyObjectResult } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { PlainAdministered, PlainFault, PlainProvider } from '../../src/integrations/providers/plain/plain-provider';
import { at, firstOf, put, type Json } from './pointed';

/** A token that the pretend provider gave. */
export interface Grant {
  access: string;
  /** Of the account whose installation it was minted for. */
  readonly installation?: string;
  expired: boolean;
  revoked: boolean;
}

/** The pretend provider, as far as its app has to know it. */
interface AppHost {
  readonly declaration: PlainProvider;
  readonly clientId: string;
  readonly admits: boolean;
  readonly accountId: string;
  readonly accountIds: readonly string[];
  readonly grants: Grant[];
  now(): number;
  credentialOf(access: string): Grant | undefined;
  oneOf(accountId: string): Json;
}

interface Minted {
  readonly status: number;
  readonly body: Json;
}

/** The app of one pretend provider and its installations: one on each account, and one on an account that is not the person's to give away. */
export class PlainInstallations {
  /** Whether the person may give away what is declared to be given away by those who administer it. */
  administers = true;
  /** Of these accounts the installations rest: nothing is minted for them. */
  readonly resting = new Set<string>();
  private pair: KeyPairKeyObjectResult | undefined;

  constructor(private readonly world: AppHost) {}

  /** What the app signs with. */
  get privateKey(): string {
    this.pair ??= generateKeyPairSync('rsa', { modulusLength: 2_048 });
    return this.pair.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  }

  /** Whether that is the app's own, issued for no longer than ten minutes from now. */
  isAppJwt(token: string): boolean {
    const [head = '', body = '', signature = ''] = token.split('.');
    if (!this.pair || !verify('sha256', Buffer.from(`${head}.${body}`), this.pair.publicKey, Buffer.from(signature, 'base64url')))
      return false;
    const { alg } = JSON.parse(Buffer.from(head, 'base64url').toString()) as Json;
    const { iss, iat, exp } = JSON.parse(Buffer.from(body, 'base64url').toString()) as Json;
    const now = this.world.now() / 1_000;
    return alg === 'RS256' && iss === this.world.clientId && Number(iat) < now && Number(exp) > now && Number(exp) <= now + 600;
  }

  /** A token, or what is declared of an app that is not installed any more, or that rests. */
  mint(accountId: string, headers: IncomingHttpHeaders): Minted {
    const { faults = [], oauth2 } = this.world.declaration;
    if (!this.isAppJwt(bearerOf(headers))) return { status: 401, body: { message: 'no such key' } };
    const told = [...(oauth2?.installation?.faults ?? []), ...faults];
    if (!this.world.admits) return answerOf(told.find(({ code }) => code === 'needs_reauth'));
    if (this.resting.has(accountId)) return answerOf(told.find(({ code }) => code === 'organization_forbids'));
    return { status: 201, body: this.installed(accountId) };
  }

  /** A person's token tells who that is, and nothing else; an installation's does the rest. */
  isForAnother(path: string, headers: IncomingHttpHeaders): boolean {
    const { oauth2, account } = this.world.declaration;
    const grant = this.world.credentialOf(bearerOf(headers));
    if (!oauth2?.installation || !grant) return false;
    const isOfPerson = [account.path?.split('?')[0], account.several?.person.path].includes(path) || this.membership(path) !== undefined;
    return isOfPerson === (grant.installation !== undefined);
  }

  /** What the accounts are to the person, and one more that is another's, where the declaration asks for that. */
  get kinds(): ReadonlyMap<string, PlainAdministered> {
    const { administered = [] } = this.world.declaration.account.several ?? {};
    const asked = administered.find((kind) => 'path' in kind);
    const own = administered.find((kind) => 'own' in kind);
    const known = [
      [this.world.accountId, asked ?? own],
      ['acct-2', own ?? asked],
      ['acct-others', asked],
    ] as const;
    return new Map(known.flatMap(([id, kind]) => (kind ? [[id, kind] as const] : [])));
  }

  /** The person's own id: that of the account which is the person's own, where there is one. */
  get personId(): string {
    const [own] = [...this.kinds].find(([, kind]) => 'own' in kind) ?? [];
    return (this.administers ? own : undefined) ?? 'person-1';
  }

  /** What the person is to an account of which that is asked with this path; undefined: no such question. */
  membership(path: string): Json | undefined {
    for (const [id, kind] of this.kinds) {
      if (!('path' in kind)) continue;
      if (path !== filledPath(kind.path, this.valuesOf(id))) continue;
      const answer: Json = {};
      for (const [place, is] of Object.entries(kind.where)) put(answer, place, id === 'acct-others' || !this.administers ? 'another' : is);
      return answer;
    }
    return undefined;
  }

  /** The account whose installation's token is minted there. */
  mintedAt(path: string): string | undefined {
    const { installation } = this.world.declaration.oauth2 ?? {};
    return installation && this.world.accountIds.find((id) => filledPath(installation.path, this.valuesOf(id)) === path);
  }

  private valuesOf(accountId: string): Record<string, string> {
    const item = this.world.oneOf(accountId);
    const { values = {} } = this.world.declaration.account.several ?? {};
    return Object.fromEntries(Object.entries(values).map(([name, place]) => [name, String(at(item, firstOf(place) ?? ''))]));
  }

  private installed(accountId: string): Json {
    const { token } = this.world.declaration.oauth2!.installation!;
    const access = `it-${randomBytes(12).toString('hex')}`;
    this.world.grants.push({ access, installation: accountId, expired: false, revoked: false });
    const body = put({}, firstOf(token.access)!, access);
    return put(body, firstOf(token.expiresAt)!, new Date(this.world.now() + 3_600_000).toISOString());
  }
}

/** The token that a call shows; none: ''. */
export function bearerOf({ authorization = '' }: IncomingHttpHeaders): string {
  return authorization.replace('Bearer ', '');
}

function filledPath(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
}

function answerOf(fault: PlainFault | undefined): Minted {
  if (!fault) throw new Error('The declaration does not say how this is refused.');
  const place = firstOf(fault.at);
  return { status: fault.status ?? 400, body: place?.startsWith('/') ? put({}, place, [fault.is].flat()[0] ?? 'refused') : {} };
}
