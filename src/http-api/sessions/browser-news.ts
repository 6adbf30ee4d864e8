import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import type { EdgeRequest } from '../request';
import { Seal } from './seal';

/** With this the script brings a page up to date that shows news: the page's own `sealed`. No address and no other origin can send it. */
const SHOWN_HEADER = 'trestle-news';
/** How long news waits for the page that tells it, ms. */
const NEWS_MS = 60_000;

const sealedNews = z.strictObject({
  tenant: z.string(),
  userId: z.string(),
  /** What happened: a word of the page that tells it. */
  kind: z.string(),
  /** What it happened to: ids and codes, no text. */
  about: z.record(z.string(), z.string()),
  /** ms since the epoch. */
  expiresAt: z.number(),
});
export type News = Pick<z.infer<typeof sealedNews>, 'kind' | 'about'>;
/** With whom it concerns, and as the page that shows it asks again whether it is so still. */
export type ToldNews = News & NewsOf & { readonly sealed: string };
export type NewsOf = Pick<z.infer<typeof sealedNews>, 'tenant' | 'userId'>;

/**
 * What a form or a flow has done, for the page that the browser is sent to next: told once, to the person whom it concerns. It is sealed
 * into a cookie, because an address can be made by anybody. The page holds it against the state before it says a word.
 */
@Injectable()
export class BrowserNews {
  private readonly cookieName: string;
  private readonly options: { path: '/'; httpOnly: true; sameSite: 'lax'; secure: boolean };
  private readonly seal: Seal<z.infer<typeof sealedNews>>;

  constructor(
    @Inject(SETTINGS) settings: Settings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    const secure = settings.publicUrl.startsWith('https:');
    this.cookieName = secure ? '__Host-trestle_news' : 'trestle_news';
    this.options = { path: '/', httpOnly: true, sameSite: 'lax', secure };
    this.seal = new Seal(
      settings.encryptionKeys.map(({ key }) => key),
      sealedNews,
    );
  }

  tell(reply: FastifyReply, { tenant, userId }: NewsOf, { kind, about }: News): void {
    const text = this.seal.close({ tenant, userId, kind, about, expiresAt: this.clock.now() + NEWS_MS }, 'news-cookie');
    void reply.setCookie(this.cookieName, text, { ...this.options, maxAge: NEWS_MS / 1_000 });
  }

  /** @param of whom the page is for; without, whoever holds the browser. @returns undefined where there is none, for them */
  take(request: EdgeRequest, reply: FastifyReply, of?: NewsOf): ToldNews | undefined {
    // A script that brings a page up to date leaves news to the page that tells it; of what it shows itself it asks whether it is so still.
    const isUpdate = request.headers['sec-fetch-dest'] === 'empty';
    const text = isUpdate ? request.headers[SHOWN_HEADER] : request.cookies[this.cookieName];
    if (typeof text !== 'string') return undefined;
    if (!isUpdate) void reply.setCookie(this.cookieName, '', { ...this.options, maxAge: 0 });
    const news = this.seal.open(text, 'news-cookie');
    if (!news || (!isUpdate && news.expiresAt <= this.clock.now())) return undefined;
    const isTheirs = of === undefined || (news.tenant === of.tenant && news.userId === of.userId);
    const { tenant, userId, kind, about } = news;
    return isTheirs ? { tenant, userId, kind, about, sealed: text } : undefined;
  }
}
