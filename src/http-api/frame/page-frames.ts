import { createParamDecorator, Inject, Injectable, type ExecutionContext, type PipeTransform } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { PLAIN_BRAND, type Brand } from '../../config/brand';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { acceptedLanguage, ENGLISH, languageFor, languagesOf, type Language } from '../../languages';
import type { EdgeRequest } from '../request';

/** What a page looks like and speaks, whatever it says. */
export interface PageFrame {
  readonly brand: Brand;
  readonly language: Language;
  /** All that there are, to choose from. */
  readonly languages: readonly Language[];
}

/** Of pages that are not the product's users'. */
export const PLAIN_FRAME: PageFrame = { brand: PLAIN_BRAND, language: ENGLISH, languages: [ENGLISH] };

/** Of a language in which a person is to read the pages (BCP 47). */
export const languageTag = z
  .string()
  .max(35)
  .regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'must be the tag of a language, like zh or pt-BR');

/** How long a language that a link named is spoken, s: as long as a session. */
const REMEMBERED_S = 8 * 60 * 60;
const COOKIE = 'trestle_lang';

/** Which language a page speaks: what its address says (`lang`), what a link before it said, what the browser asks for; else English. */
@Injectable()
export class PageFrames implements PipeTransform<EdgeRequest, PageFrame> {
  private readonly brand: Brand;
  private readonly languages: readonly Language[];
  private readonly secure: boolean;

  constructor(@Inject(SETTINGS) { brand, languageFiles, publicUrl }: Pick<Settings, 'brand' | 'languageFiles' | 'publicUrl'>) {
    this.brand = brand;
    this.languages = languagesOf(languageFiles);
    this.secure = publicUrl.startsWith('https:');
  }

  of(request: EdgeRequest): PageFrame {
    const { brand, languages } = this;
    const chosen = this.known(langIn(request)) ?? this.known(request.cookies?.[COOKIE]);
    return { brand, languages, language: chosen ?? acceptedLanguage(request.headers['accept-language'], languages) ?? ENGLISH };
  }

  transform(request: EdgeRequest): PageFrame {
    return this.of(request);
  }

  /** The same for an address that may name a language: the pages that follow speak it too. */
  remembered(request: EdgeRequest, reply: FastifyReply): PageFrame {
    const frame = this.of(request);
    if (this.known(langIn(request))) this.remember(frame.language.tag, reply);
    return frame;
  }

  /** For a session that begins: in the language that its link names, else in the browser's own, whatever was spoken before. */
  enter(lang: string | undefined, request: EdgeRequest, reply: FastifyReply): void {
    const language = this.known(lang);
    if (language) this.remember(language.tag, reply);
    else if (COOKIE in request.cookies) this.remember(undefined, reply);
  }

  private known(tag: string | undefined): Language | undefined {
    return tag === undefined ? undefined : languageFor(tag, this.languages);
  }

  private remember(tag: string | undefined, reply: FastifyReply): void {
    const options = { path: '/', httpOnly: true, sameSite: 'lax', secure: this.secure } as const;
    void reply.setCookie(COOKIE, tag ?? '', { ...options, maxAge: tag === undefined ? 0 : REMEMBERED_S });
  }
}

function langIn({ query }: EdgeRequest): string | undefined {
  const { lang } = (query ?? {}) as { lang?: unknown };
  return typeof lang === 'string' && lang.length <= 35 ? lang : undefined;
}

const Request = createParamDecorator((_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<EdgeRequest>());

/** A parameter of a page's route: in which language and look it is told. */
export const Frame = () => Request(PageFrames);
