import { Inject, Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { IntegrationError } from '../../errors';
import type { Role, SessionPrincipal } from '../principal/principal';
import { csrfTokenOf, hashOf } from './csrf';
import { TokenVerifier } from '../principal/token-verifier';

const SESSION_MS = 8 * 60 * 60_000;

export interface SessionCookie {
  readonly name: string;
  readonly value: string;
  readonly options: { path: '/'; httpOnly: true; sameSite: 'lax'; secure: boolean; maxAge: number };
}

/** Sessions of browsers. The cookie holds a random id; the row its hash only. */
@Injectable()
export class BrowserSessions {
  /** `__Host-` pins the cookie to this very origin; browsers take the prefix over https only. */
  readonly cookieName: string;
  private readonly secure: boolean;

  constructor(
    @Inject(SETTINGS) settings: Settings,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly dataSource: DataSource,
    private readonly verifier: TokenVerifier,
  ) {
    this.secure = settings.publicUrl.startsWith('https:');
    this.cookieName = this.secure ? '__Host-trestle_session' : 'trestle_session';
  }

  /**
   * Trades an access token for a session, once per token.
   * @throws IntegrationError `unauthorized`
   */
  async open(token: string): Promise<SessionCookie> {
    const { caller, expiresAt } = await this.verifier.verifyFully(token);
    const id = randomBytes(32).toString('base64url');
    const now = this.clock.now();
    await this.dataSource.transaction(async (manager) => {
      await manager.query('DELETE FROM used_tokens WHERE expires_at < $1', [new Date(now)]);
      await manager.query('DELETE FROM browser_sessions WHERE expires_at < $1', [new Date(now)]);
      // Kept past its end by more than the clock tolerance of the verifier.
      const used = [hashOf(signedPart(token)), new Date(Math.min(expiresAt, now + 10 * 365 * 86_400_000) + 60_000)];
      const fresh: unknown[] = await manager.query(
        'INSERT INTO used_tokens (token_hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1',
        used,
      );
      if (fresh.length === 0)
        throw new IntegrationError('unauthorized', {
          detail: 'This sign-in link was already used.',
          nextStep: 'Open the page from your application again.',
        });
      const row = [hashOf(id), caller.tenant, caller.userId, caller.role, hashOf(csrfTokenOf(id)), new Date(now + SESSION_MS)];
      await manager.query(
        'INSERT INTO browser_sessions (id_hash, tenant, user_id, role, csrf_hash, expires_at) VALUES ($1, $2, $3, $4, $5, $6)',
        row,
      );
    });
    return {
      name: this.cookieName,
      value: id,
      options: { path: '/', httpOnly: true, sameSite: 'lax', secure: this.secure, maxAge: SESSION_MS / 1_000 },
    };
  }

  /** Whose session this cookie is; undefined where there is none, or it has ended. */
  async find(id: string | undefined): Promise<SessionPrincipal | undefined> {
    if (!id || id.length > 128) return undefined;
    const [row] = await this.dataSource.query<{ tenant: string; user_id: string; role: Role }[]>(
      'SELECT tenant, user_id, role FROM browser_sessions WHERE id_hash = $1 AND expires_at > $2',
      [hashOf(id), new Date(this.clock.now())],
    );
    return row && { tenant: row.tenant, userId: row.user_id, role: row.role, csrfToken: csrfTokenOf(id) };
  }
}

/** A signature of ECDSA can be written in two ways; what is signed cannot. */
function signedPart(token: string): string {
  return token.slice(0, token.lastIndexOf('.'));
}
