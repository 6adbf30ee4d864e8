import { Controller, Get, Headers, Param, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Public } from '../http-api';
import { IntegrationError } from '../errors';

const JAVASCRIPT = 'text/javascript; charset=utf-8';
const own = (name: string) => join(__dirname, 'assets', name);
const ASSETS = new Map(
  [
    { name: 'trestle.css', type: 'text/css; charset=utf-8', path: own('trestle.css') },
    { name: 'trestle.js', type: JAVASCRIPT, path: own('trestle.js') },
    { name: 'idiomorph.js', type: JAVASCRIPT, path: require.resolve('idiomorph/dist/idiomorph.min.js') },
  ].map((asset) => {
    const body = readFileSync(asset.path);
    return [asset.name, { ...asset, body, tag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 16)}"` }];
  }),
);

/** Style and script of the pages. Asked for anew each time and answered with 304: never those of an older version. */
@ApiExcludeController()
@Public()
@Controller('ui')
export class AssetsController {
  @Get(':name')
  async show(@Param('name') name: string, @Headers('if-none-match') known: string | undefined, @Res() reply: FastifyReply): Promise<void> {
    const asset = ASSETS.get(name);
    if (!asset) throw new IntegrationError('not_found');
    void reply.header('cache-control', 'public, no-cache').header('etag', asset.tag);
    if (known === asset.tag) await reply.status(304).send();
    else await reply.type(asset.type).send(asset.body);
  }
}
