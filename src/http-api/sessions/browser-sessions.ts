import { Inject, Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { DataSource, LessThan, MoreThan, type EntityManager } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { asService } from '../../database';
import { IntegrationError } from '../../errors';
import type { Principal, Role, SessionPrincipal } from '../principal/principal';
import { BrowserSessionEntity } from './browser-session.entity';
import { csrfTokenOf, hashOf } from './csrf';
import { Seal, sealedSession, type SealedSession, type SealPurpose } from './seal';

/** A session ends with the token that it came from, and after this at the latest, ms. */
const SESSION_MS = 8 * 60 * 60_000;
/** How long a sign-in code waits for its browser, ms. */
const CODE_MS = 60_000;

export interface SessionCookie {
  readonly name: string;
  readonly value: string;
  readonly options: { path: '/'; httpOnly: true; sameSite: 'lax'; secure: boolean; maxAge: number };
}

/** Whose sessions: all of a person's. Without a tenant: of everybody who goes by this id. */
export interface SessionsOf {
  readonly tenant?: string;
  readonly userId: string;
}

/** Told of each session that is opened or ended. */
export type SessionWatcher = (
  act: 'session.open' | 'session.end',
  of: { tenant: string; userId: string; role?: Role },
  runner: EntityManager,
) => Promise<void>;

/** Sessions of browsers. Cookie and code are sealed and say who it is; the row, of which only a hash is the key, says that it has not ended. */
@Injectable()
export class BrowserSessions {
  /** `__Host-` pins the cookie to this very origin; browsers take the prefix over https only. */
  readonly cookieName: string;
  private readonly secure: boolean;
  private readonly seal: Seal<SealedSession>;
  private watcher: SessionWatcher = () => Promise.resolve();

  constructor(
    @Inject(SETTINGS) settings: Settings,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly dataSource: DataSource,
  ) {
    this.secure = settings.publicUrl.startsWith('https:');
    this.cookieName = this.secure ? '__Host-trestle_session' : 'trestle_session';
    this.seal = new Seal(
      settings.encryptionKeys.map(({ key }) => key),
      sealedSession,
    );
  }

  watch(watcher: SessionWatcher): void {
    this.watcher = watcher;
  }

  /** A code that opens one session of this caller, once, within a minute, and nothing else. */
  async createCode(caller: Principal, tokenEndsAt: number, returnTo: string): Promise<{ code: string; expiresAt: Date }> {
    const now = this.clock.now();
    const endsAt = Math.min(tokenEndsAt, now + SESSION_MS);
    const code = await this.dataSource.transaction(async (manager) => {
      await manager.delete(BrowserSessionEntity, { expiresAt: LessThan(new Date(now)) });
      return this.add(manager, { ...whoIs(caller), endsAt, expiresAt: Math.min(endsAt, now + CODE_MS), returnTo }, 'sign-in-code');
    });
    return { code, expiresAt: new Date(Math.min(endsAt, now + CODE_MS)) };
  }

  /** What a code of ours says, also one that is used up or too old: it opens nothing by itself. */
  read(code: string): SealedSession | undefined {
    return this.seal.open(code, 'sign-in-code');
  }

  /** Whether a code still opens a session. */
  async isOpen(code: string): Promise<boolean> {
    return (await this.alive(code, 'sign-in-code')) !== undefined;
  }

  /** What a code would open; it is not used up. @throws IntegrationError `unauthorized` */
  async peek(code: string): Promise<SealedSession> {
    const content = await this.alive(code, 'sign-in-code');
    if (!content) throw usedUp();
    return content;
  }

  /**
   * Trades a code for a session, once per code. The session that the browser had before ends.
   * @throws IntegrationError `unauthorized`
   */
  async open(code: string, before: SessionPrincipal | undefined): Promise<{ cookie: SessionCookie; returnTo: string }> {
    const content = await this.peek(code);
    const { tenant, userId, role, endsAt, returnTo = '/' } = content;
    const open = async (manager: EntityManager) => {
      const { affected } = await manager.delete(BrowserSessionEntity, { idHash: hashOf(content.id) });
      if (!affected) throw usedUp();
      if (before) await this.remove(manager, before);
      await this.watcher('session.open', content, manager);
      return this.add(manager, { tenant, userId, role, endsAt, expiresAt: endsAt }, 'session-cookie');
    };
    // the session of before may be another organization's
    const value = await asService(() => this.dataSource.transaction(open));
    const maxAge = Math.max(0, Math.floor((endsAt - this.clock.now()) / 1_000));
    return { cookie: this.cookie(value, maxAge), returnTo };
  }

  /** Whose session this cookie is; undefined where there is none, or it has ended. */
  async find(cookie: string | undefined): Promise<SessionPrincipal | undefined> {
    const content = await this.alive(cookie, 'session-cookie');
    return content && { ...whoIs(content), csrfToken: csrfTokenOf(content.id), sessionId: content.id };
  }

  /** Ends the session. @returns the cookie that removes the browser's */
  async end(session: SessionPrincipal): Promise<SessionCookie> {
    await this.dataSource.transaction((manager) => this.remove(manager, session));
    return this.cookie('', 0);
  }

  /** Ends all of a person's, codes that were not used yet among them. @returns how many */
  async endAll({ tenant, userId }: SessionsOf): Promise<number> {
    return this.dataSource.transaction(async (manager) => {
      const found = await manager.findBy(BrowserSessionEntity, { userId, ...(tenant !== undefined && { tenant }) });
      for (const row of found) {
        await manager.delete(BrowserSessionEntity, { idHash: row.idHash });
        await this.watcher('session.end', row, manager);
      }
      return found.length;
    });
  }

  private async remove(manager: EntityManager, session: SessionPrincipal): Promise<void> {
    const { affected } = await manager.delete(BrowserSessionEntity, { idHash: hashOf(session.sessionId) });
    if (affected) await this.watcher('session.end', session, manager);
  }

  private async add(manager: EntityManager, content: Omit<SealedSession, 'id'>, purpose: SealPurpose): Promise<string> {
    const id = randomBytes(32).toString('base64url');
    const { tenant, userId, expiresAt } = content;
    await manager.insert(BrowserSessionEntity, { idHash: hashOf(id), tenant, userId, expiresAt: new Date(expiresAt) });
    return this.seal.close({ ...content, id }, purpose);
  }

  private async alive(text: string | undefined, purpose: SealPurpose): Promise<SealedSession | undefined> {
    const content = text === undefined ? undefined : this.seal.open(text, purpose);
    const now = this.clock.now();
    if (!content || content.expiresAt <= now) return undefined;
    const row = { idHash: hashOf(content.id), expiresAt: MoreThan(new Date(now)) };
    const kept = await asService(() => this.dataSource.manager.existsBy(BrowserSessionEntity, row)); // who it is, is what is found out
    return kept ? content : undefined;
  }

  private cookie(value: string, maxAge: number): SessionCookie {
    return { name: this.cookieName, value, options: { path: '/', httpOnly: true, sameSite: 'lax', secure: this.secure, maxAge } };
  }
}

function whoIs({ tenant, userId, role }: Principal): Principal {
  return { tenant, userId, role };
}

function usedUp(): IntegrationError {
  return new IntegrationError('unauthorized', {
    detail: 'This sign-in link was already used, took too long, or was not made here.',
    nextStep: 'Open the page from your application again.',
  });
}
