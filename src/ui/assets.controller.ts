import { Controller, Get, Headers, Param, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Public } from '../http-api';
import { IntegrationError } from '../errors';

const ASSETS = new Map(
  [
    { name: 'trestle.css', type: 'text/css; charset=utf-8' },
    { name: 'trestle.js', type: 'text/javascript; charset=utf-8' },
  ].map((asset) => {
    const body = readFileSync(join(__dirname, 'assets', asset.name));
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
