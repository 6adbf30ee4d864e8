import { Controller, Get, Headers, Inject, Param, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOGO_PATH, type Brand, type BrandColor } from '../config/brand';
import { SETTINGS } from '../config/config.module';
import type { Settings } from '../config/env';
import { PROVIDER_ICONS, Public } from '../http-api';
import { IntegrationError } from '../errors';

const JAVASCRIPT = 'text/javascript; charset=utf-8';
const own = (name: string) => readFileSync(join(__dirname, 'assets', name));
const STYLE = Buffer.concat([own('colors.css'), own('trestle.css')]);
const SCRIPTS = {
  'trestle.js': own('trestle.js'),
  'idiomorph.js': readFileSync(require.resolve('idiomorph/dist/idiomorph.min.js')),
};

interface Asset {
  readonly type: string;
  readonly body: Buffer;
  readonly tag: string;
}

/** Style, script and pictures of the pages. Asked for anew each time and answered with 304: never those of an older version. */
@ApiExcludeController()
@Public()
@Controller('ui')
export class AssetsController {
  private readonly assets: ReadonlyMap<string, Asset>;

  constructor(@Inject(SETTINGS) { brand }: Pick<Settings, 'brand'>) {
    const logo = brand.logo?.file;
    this.assets = new Map([
      ['trestle.css', assetOf('text/css; charset=utf-8', Buffer.concat([STYLE, Buffer.from(brandStyle(brand))]))],
      ['icons.svg', assetOf('image/svg+xml', PROVIDER_ICONS)],
      ...Object.entries(SCRIPTS).map(([name, body]) => [name, assetOf(JAVASCRIPT, body)] as const),
      ...(logo ? [[LOGO_PATH.replace('/ui/', ''), assetOf(logo.type, logo.body)] as const] : []),
    ]);
  }

  @Get(':name')
  async show(@Param('name') name: string, @Headers('if-none-match') known: string | undefined, @Res() reply: FastifyReply): Promise<void> {
    const asset = this.assets.get(name);
    if (!asset) throw new IntegrationError('not_found');
    void reply.header('cache-control', 'public, no-cache').header('etag', asset.tag);
    if (known === asset.tag) await reply.status(304).send();
    else await reply.type(asset.type).send(asset.body);
  }
}

function assetOf(type: string, body: Buffer): Asset {
  return { type, body, tag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 16)}"` };
}

/** Over the colors of our own. */
function brandStyle({ colors }: Brand): string {
  if (!colors) return '';
  const rule = ({ color, text }: BrandColor) => `:root { --brand: ${color}; --on-brand: ${text}; }`;
  return `\n${rule(colors.light)}\n@media (prefers-color-scheme: dark) { ${rule(colors.dark)} }\n`;
}
