import { Inject, Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { DataSource, LessThan, MoreThan } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { IntegrationError } from '../../errors';
import type { SessionPrincipal } from '../principal/principal';
import { TokenVerifier } from '../principal/token-verifier';
import { BrowserSessionEntity } from './browser-session.entity';
import { csrfTokenOf, hashOf } from './csrf';
import { UsedTokenEntity } from './used-token.entity';

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
      await manager.delete(UsedTokenEntity, { expiresAt: LessThan(new Date(now)) });
      await manager.delete(BrowserSessionEntity, { expiresAt: LessThan(new Date(now)) });
      // Kept past its end by more than the clock tolerance of the verifier.
      const used = { tokenHash: hashOf(signedPart(token)), expiresAt: new Date(Math.min(expiresAt, now + 10 * 365 * 86_400_000) + 60_000) };
      const first = await manager
        .createQueryBuilder()
        .insert()
        .into(UsedTokenEntity)
        .values(used)
        .orIgnore()
        .returning('token_hash')
        .execute();
      if ((first.raw as unknown[]).length === 0)
        throw new IntegrationError('unauthorized', {
          detail: 'This sign-in link was already used.',
          nextStep: 'Open the page from your application again.',
        });
      await manager.insert(BrowserSessionEntity, {
        idHash: hashOf(id),
        tenant: caller.tenant,
        userId: caller.userId,
        role: caller.role,
        csrfHash: hashOf(csrfTokenOf(id)),
        expiresAt: new Date(now + SESSION_MS),
      });
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
    const session = await this.dataSource.manager.findOneBy(BrowserSessionEntity, {
      idHash: hashOf(id),
      expiresAt: MoreThan(new Date(this.clock.now())),
    });
    return session ? { tenant: session.tenant, userId: session.userId, role: session.role, csrfToken: csrfTokenOf(id) } : undefined;
  }
}

/** A signature of ECDSA can be written in two ways; what is signed cannot. */
function signedPart(token: string): string {
  return token.slice(0, token.lastIndexOf('.'));
}
