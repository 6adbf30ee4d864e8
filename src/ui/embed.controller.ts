import { Controller, Get, Headers, Inject, Param, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SETTINGS } from '../config/config.module';
import type { Settings } from '../config/env';
import { IntegrationError } from '../errors';
import { Public } from '../http-api';

/** Beside this file in a build; where the package builds it, outside of one. */
const PLACES = [join(__dirname, 'embed', 'trestle.js'), join(__dirname, '..', '..', 'packages', 'embed', 'dist', 'trestle.js')];
/** Browsers ask again after an hour, and show the one they have meanwhile. */
const FRESH = 'public, max-age=3600, stale-while-revalidate=604800';
/** What stands under such an address never changes. */
const FOR_GOOD = 'public, max-age=31536000, immutable';
/** Anybody's page may load it and check it: it is the same for all, and holds nothing of anybody. */
const FOR_ALL = { 'cross-origin-resource-policy': 'cross-origin', 'access-control-allow-origin': '*' };

interface Script {
  readonly body: Buffer;
  /** Of this content. */
  readonly version: string;
  /** https://www.w3.org/TR/SRI/ */
  readonly integrity: string;
}

let known: Script | undefined;

/** The elements for the product's pages: one script, under an address that stays and under one for each version. */
@ApiExcludeController()
@Public()
@Controller('embed')
export class EmbedController {
  constructor(@Inject(SETTINGS) private readonly settings: Pick<Settings, 'publicUrl'>) {}

  @Get('trestle.js')
  async newest(@Headers('if-none-match') seen: string | undefined, @Res() reply: FastifyReply): Promise<void> {
    const { version } = script();
    void reply.headers({ ...FOR_ALL, 'cache-control': FRESH, etag: `"${version}"` });
    if (seen === `"${version}"`) await reply.status(304).send();
    else await send(reply);
  }

  /** Which version there is, with what a page needs to hold on to it. */
  @Get('trestle.json')
  async versions(@Res() reply: FastifyReply): Promise<void> {
    const { version, integrity } = script();
    const address = `${this.settings.publicUrl}/embed/${version}/trestle.js`;
    await reply.headers({ ...FOR_ALL, 'cache-control': 'no-cache' }).send({ version, script: address, integrity });
  }

  @Get(':version/trestle.js')
  async version(@Param('version') version: string, @Res() reply: FastifyReply): Promise<void> {
    if (version !== script().version)
      throw new IntegrationError('not_found', {
        detail: 'This version of the script is not here any more.',
        nextStep: 'Read the present one at /embed/trestle.json, or load /embed/trestle.js.',
      });
    void reply.headers({ ...FOR_ALL, 'cache-control': FOR_GOOD });
    await send(reply);
  }
}

async function send(reply: FastifyReply): Promise<void> {
  await reply.type('text/javascript; charset=utf-8').send(script().body);
}

/** Read when it is first asked for. */
function script(): Script {
  if (known) return known;
  const path = PLACES.find((place) => existsSync(place));
  if (path === undefined)
    throw new IntegrationError('not_found', {
      detail: 'The script was not built.',
      nextStep: 'Build it: node packages/embed/build.mjs',
    });
  const body = readFileSync(path);
  const hash = (name: string) => createHash(name).update(body);
  known = {
    body,
    version: hash('sha256').digest('base64url').slice(0, 16),
    integrity: `sha384-${hash('sha384').digest('base64')}`,
  };
  return known;
}
