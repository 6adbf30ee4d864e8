import { createHash } from 'node:crypto';
import { secretText, sha256 } from './random';

/** What a person allowed: one app on one account, with some scopes. */
export interface Grant {
  id: string;
  account: string;
  /** Slack: `bot` or `user`; elsewhere `user`; `key` for API keys. */
  kind: string;
  user: string;
  scopes: string[];
  createdAt: number;
  revoked: boolean;
}

interface AccessRow {
  grantId: string;
  issuedAt: number;
  expiresAt: number | null;
  revoked: boolean;
}

interface RefreshRow {
  grantId: string;
  used: boolean;
}

export interface CodeRow {
  clientId: string;
  account: string;
  user: string;
  scopes: string[];
  userScopes: string[];
  redirectUri: string;
  challenge: string | null;
  challengeMethod: string;
  offline: boolean;
  expiresAt: number;
  used: boolean;
  grantIds: string[];
}

export interface TokenState {
  grants: Map<string, Grant>;
  access: Map<string, AccessRow>;
  refresh: Map<string, RefreshRow>;
  codes: Map<string, CodeRow>;
}

export type TokenVerdict = { ok: true; grant: Grant } | { ok: false; reason: 'unknown' | 'expired' | 'revoked'; grant?: Grant };

const CODE_TTL_MS = 10 * 60_000;

export function emptyTokenState(): TokenState {
  return { grants: new Map(), access: new Map(), refresh: new Map(), codes: new Map() };
}

/** Codes, access and refresh tokens of one provider; only their SHA-256 is kept. */
export class TokenStore {
  private readonly accessOfGrant = new Map<string, string[]>();

  constructor(
    private readonly state: TokenState,
    private readonly now: () => number,
    private readonly changed: () => void,
  ) {
    for (const [hash, row] of state.access) this.remember(row.grantId, hash);
  }

  issueCode(row: Omit<CodeRow, 'expiresAt' | 'used' | 'grantIds'>, prefix: string): string {
    const code = prefix + secretText(32);
    this.state.codes.set(sha256(code), { ...row, expiresAt: this.now() + CODE_TTL_MS, used: false, grantIds: [] });
    this.changed();
    return code;
  }

  findCode(code: string): { ok: true; row: CodeRow } | { ok: false; reason: 'unknown' | 'used' | 'expired'; row?: CodeRow } {
    const row = this.state.codes.get(sha256(code));
    if (!row) return { ok: false, reason: 'unknown' };
    if (row.used) return { ok: false, reason: 'used', row };
    if (row.expiresAt <= this.now()) return { ok: false, reason: 'expired', row };
    return { ok: true, row };
  }

  createGrant(fields: Pick<Grant, 'account' | 'kind' | 'user' | 'scopes'>): Grant {
    const grant: Grant = { id: `grant_${secretText(12)}`, ...fields, createdAt: this.now(), revoked: false };
    this.state.grants.set(grant.id, grant);
    this.changed();
    return grant;
  }

  /** The grant of the same person that lives, with what is granted in addition. */
  addToGrant({ account, kind, user, scopes }: Pick<Grant, 'account' | 'kind' | 'user' | 'scopes'>): Grant | undefined {
    const grant = [...this.state.grants.values()].find(
      (each) => !each.revoked && each.account === account && each.kind === kind && each.user === user,
    );
    if (!grant) return undefined;
    grant.scopes = [...new Set([...grant.scopes, ...scopes])];
    this.changed();
    return grant;
  }

  issueAccess(grant: Grant, prefix: string, ttlS: number | null, length = 48): string {
    const token = prefix + secretText(length);
    const hash = sha256(token);
    this.state.access.set(hash, {
      grantId: grant.id,
      issuedAt: this.now(),
      expiresAt: ttlS === null ? null : this.now() + ttlS * 1000,
      revoked: false,
    });
    this.remember(grant.id, hash);
    this.changed();
    return token;
  }

  issueRefresh(grant: Grant, prefix: string): string {
    const token = prefix + secretText(48);
    this.state.refresh.set(sha256(token), { grantId: grant.id, used: false });
    this.changed();
    return token;
  }

  check(token: string): TokenVerdict {
    const row = this.state.access.get(sha256(token));
    const grant = row && this.state.grants.get(row.grantId);
    if (!row || !grant) return { ok: false, reason: 'unknown' };
    if (row.revoked || grant.revoked) return { ok: false, reason: 'revoked', grant };
    if (row.expiresAt !== null && row.expiresAt <= this.now()) return { ok: false, reason: 'expired', grant };
    return { ok: true, grant };
  }

  checkRefresh(token: string): { ok: true; grant: Grant; spend: () => void } | { ok: false; grant?: Grant } {
    const row = this.state.refresh.get(sha256(token));
    const grant = row && this.state.grants.get(row.grantId);
    if (!row || !grant || row.used || grant.revoked) return grant ? { ok: false, grant } : { ok: false };
    return {
      ok: true,
      grant,
      spend: () => {
        row.used = true;
        this.changed();
      },
    };
  }

  /** Revokes the oldest live access tokens of a grant beyond `keep`. */
  keepNewest(grant: Grant, keep: number): void {
    const live = (this.accessOfGrant.get(grant.id) ?? [])
      .map((hash) => this.state.access.get(hash))
      .filter((row): row is AccessRow => row !== undefined && !row.revoked && (row.expiresAt === null || row.expiresAt > this.now()));
    for (const row of live.slice(0, Math.max(0, live.length - keep))) row.revoked = true;
  }

  revokeAccess(token: string): void {
    const row = this.state.access.get(sha256(token));
    if (row) row.revoked = true;
    this.changed();
  }

  revokeGrants(filter: (grant: Grant) => boolean): Grant[] {
    const hit = [...this.state.grants.values()].filter((grant) => !grant.revoked && filter(grant));
    for (const grant of hit) grant.revoked = true;
    this.changed();
    return hit;
  }

  /** Ends access tokens now; refresh tokens stay good. */
  expireAccess(account?: string): number {
    let count = 0;
    for (const row of this.state.access.values()) {
      const grant = this.state.grants.get(row.grantId);
      if (!grant || grant.kind === 'key' || (account && grant.account !== account)) continue;
      if (row.expiresAt !== null && row.expiresAt <= this.now()) continue;
      row.expiresAt = this.now();
      count++;
    }
    this.changed();
    return count;
  }

  activeGrants(account?: string): Grant[] {
    return [...this.state.grants.values()].filter((grant) => !grant.revoked && (!account || grant.account === account));
  }

  hasEverGranted(account: string): boolean {
    return [...this.state.grants.values()].some((grant) => grant.account === account && !grant.revoked);
  }

  private remember(grantId: string, hash: string): void {
    const list = this.accessOfGrant.get(grantId);
    if (list) list.push(hash);
    else this.accessOfGrant.set(grantId, [hash]);
  }
}

/** RFC 7636, 4.6. A code that was asked for with a challenge is worth nothing without its verifier. */
export function pkceMatches(row: Pick<CodeRow, 'challenge' | 'challengeMethod'>, verifier: string | undefined): boolean {
  if (row.challenge === null) return true;
  if (!verifier) return false;
  const seen = row.challengeMethod === 'S256' ? createHash('sha256').update(verifier).digest('base64url') : verifier;
  return seen === row.challenge;
}

/** Client id and secret from the body or from HTTP Basic. */
export function clientCredentials(headers: Record<string, string>, body: Record<string, unknown>): { id?: string; secret?: string } {
  const basic = /^basic (.+)$/i.exec(headers['authorization'] ?? '')?.[1];
  if (basic) {
    const [id, ...rest] = Buffer.from(basic, 'base64').toString('utf8').split(':');
    return { ...(id ? { id: decodeURIComponent(id) } : {}), secret: decodeURIComponent(rest.join(':')) };
  }
  return {
    ...(typeof body['client_id'] === 'string' ? { id: body['client_id'] } : {}),
    ...(typeof body['client_secret'] === 'string' ? { secret: body['client_secret'] } : {}),
  };
}

export function bearerOf(headers: Record<string, string>): string | undefined {
  return /^bearer\s+(.+)$/i.exec(headers['authorization'] ?? '')?.[1];
}
