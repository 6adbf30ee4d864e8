import { Inject, Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { DataSource, LessThan, MoreThan, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { asService } from '../../database';
import { IntegrationError } from '../../errors';
import { roleReaches, type BrowserTokenReach, type Principal } from '../principal/principal';
import { BrowserSessionEntity } from './browser-session.entity';
import { hashOf } from './csrf';
import { Seal } from './seal';

/** Tells it apart from a token of the product's backend, in a header and in a log. */
const PREFIX = 'tbt_';

const sealedToken = z.strictObject({
  id: z.string(),
  tenant: z.string(),
  userId: z.string(),
  /** The origin of the service that made it: a copy with the same keys takes it no more than anybody else. */
  audience: z.string(),
  /** The one origin whose pages may use it; absent: any of BROWSER_ORIGINS. */
  origin: z.string().optional(),
  /** What the user is to the organization, where its connections are opened; absent: the user's own alone. */
  organizationAs: z.enum(['user', 'admin']).optional(),
  /** ms since the epoch. */
  expiresAt: z.number(),
});
type SealedToken = z.infer<typeof sealedToken>;

export interface BrowserTokenRequest {
  readonly caller: Principal;
  /** When the token that asks ends, ms since the epoch: this one does not outlive it. */
  readonly callerEndsAt: number;
  readonly origin?: string;
  readonly reach: BrowserTokenReach;
  readonly lifetimeMs: number;
}

export interface BrowserCaller {
  readonly caller: Principal;
  /** ms since the epoch. */
  readonly expiresAt: number;
  readonly goesOn: () => Promise<boolean>;
}

/** Told of each token that is made, in its transaction. */
export type TokenWatcher = (of: { tenant: string; userId: string; reach: BrowserTokenReach }, runner: EntityManager) => Promise<void>;

/**
 * What a script in the product's pages calls with, for minutes: a user's own connections, whatever the role of who asked for it; where that is
 * asked for the organization's too, as that role is to them. The token is sealed and says who it is; its row, among those of the user's
 * sessions, says that it has not ended.
 */
@Injectable()
export class BrowserTokens {
  private readonly audience: () => string;
  private readonly seal: Seal<SealedToken>;
  private watcher: TokenWatcher = () => Promise.resolve();

  constructor(
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly dataSource: DataSource,
  ) {
    this.audience = () => new URL(settings.publicUrl).origin; // known once the port is bound
    this.seal = new Seal(
      settings.encryptionKeys.map(({ key }) => key),
      sealedToken,
    );
  }

  watch(watcher: TokenWatcher): void {
    this.watcher = watcher;
  }

  /** @throws IntegrationError `invalid_request` for an origin that is not among BROWSER_ORIGINS */
  async create({ caller, callerEndsAt, origin, reach, lifetimeMs }: BrowserTokenRequest): Promise<{ token: string; expiresAt: Date }> {
    if (origin !== undefined && !this.isAllowed(origin))
      throw new IntegrationError('invalid_request', {
        detail: `origin: ${origin.slice(0, 200)} is not among BROWSER_ORIGINS.`,
        nextStep: 'Name an origin that is listed there, exactly as browsers send it.',
      });
    const now = this.clock.now();
    const { tenant, userId, role } = caller;
    const organizationAs = roleReaches(role, 'admin') ? ('admin' as const) : ('user' as const);
    const expiresAt = Math.min(callerEndsAt, now + lifetimeMs);
    const id = randomBytes(32).toString('base64url');
    await this.dataSource.transaction(async (manager) => {
      await manager.delete(BrowserSessionEntity, { expiresAt: LessThan(new Date(now)) });
      await manager.insert(BrowserSessionEntity, { idHash: hashOf(id), tenant, userId, expiresAt: new Date(expiresAt) });
      await this.watcher({ tenant, userId, reach }, manager);
    });
    const content = {
      id,
      tenant,
      userId,
      audience: this.audience(),
      ...(origin !== undefined && { origin }),
      ...(reach === 'organization' && { organizationAs }),
      expiresAt,
    };
    return { token: PREFIX + this.seal.close(content, 'browser-token'), expiresAt: new Date(expiresAt) };
  }

  /**
   * @param origin of the page that calls, as its browser says; none where the page is of our own origin
   * @throws IntegrationError `unauthorized`, `forbidden` in a page of another origin
   */
  async callerOf(token: string, origin: string | undefined): Promise<BrowserCaller> {
    const content = this.seal.open(token.slice(PREFIX.length), 'browser-token');
    if (!content) throw refused('The browser token was not made here, or with a key that is gone.');
    if (content.audience !== this.audience()) throw refused(`The browser token is for ${content.audience}.`);
    if (!(await this.goesOn(content))) throw refused('The browser token has ended.');
    this.assertOrigin(content, origin);
    const { tenant, userId, organizationAs, expiresAt } = content;
    const viaBrowserToken = organizationAs ? 'organization' : 'own';
    return { caller: { tenant, userId, role: organizationAs ?? 'user', viaBrowserToken }, expiresAt, goesOn: () => this.goesOn(content) };
  }

  private assertOrigin(content: SealedToken, origin: string | undefined): void {
    const isTheirs = content.origin === undefined ? origin === undefined || this.isAllowed(origin) : origin === content.origin;
    if (isTheirs) return;
    throw new IntegrationError('forbidden', {
      detail: 'This browser token is not for the page that used it.',
      nextStep: 'Open the page in your product again; its origin has to be among BROWSER_ORIGINS.',
    });
  }

  private isAllowed(origin: string): boolean {
    return origin === this.audience() || this.settings.browserOrigins.includes(origin);
  }

  private async goesOn({ id, expiresAt }: SealedToken): Promise<boolean> {
    const now = this.clock.now();
    if (expiresAt <= now) return false;
    const row = { idHash: hashOf(id), expiresAt: MoreThan(new Date(now)) };
    return asService(() => this.dataSource.manager.existsBy(BrowserSessionEntity, row)); // who it is, is what is found out
  }
}

/** The browser token of an `Authorization` header, good or not; undefined where it holds none. */
export function browserTokenIn(authorization: string | undefined): string | undefined {
  return /^Bearer +(tbt_\S*) *$/i.exec(authorization ?? '')?.[1];
}

function refused(cause: string): IntegrationError {
  return new IntegrationError('unauthorized', { cause: new Error(cause) });
}
