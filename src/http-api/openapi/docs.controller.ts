import { Controller, Get, Header, Inject, Injectable, Param, Res, StreamableFile, UseGuards, type CanActivate } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { createReadStream, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { IntegrationError } from '../../errors';
import { Public } from '../principal/access.decorators';
import { ApiExcludeController } from '@nestjs/swagger';
import { operationPage, operationsOf, referencePage, type ShownOperation } from './docs-pages';
import { OpenApi } from './open-api';

/** Of the package that comes with @nestjs/swagger; its own page has inline scripts, which our policy does not take. */
const ASSETS: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
};
const START = readFileSync(join(__dirname, 'assets', 'start.js'), 'utf8');
const TRY =
  '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Try the API</title><link rel="stylesheet" href="/docs/swagger-ui.css"></head>' +
  '<body><div id="api"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body></html>\n';

/** Where DOCS is off there is nothing at these addresses. */
@Injectable()
class DocsGuard implements CanActivate {
  constructor(@Inject(SETTINGS) private readonly settings: Settings) {}

  canActivate(): boolean {
    if (!this.settings.docs) throw new IntegrationError('not_found');
    return true;
  }
}

/** The API's description, for people and for programs. */
@UseGuards(DocsGuard)
@ApiExcludeController()
@Public()
@Controller()
export class DocsController {
  constructor(private readonly openApi: OpenApi) {}

  @Get('docs-json')
  json(@Res() reply: FastifyReply): void {
    void reply.type('application/json; charset=utf-8').send(JSON.stringify(this.openApi.document));
  }

  @Get('docs')
  @Header('content-type', 'text/html; charset=utf-8')
  page(): string {
    return referencePage(this.operations());
  }

  @Get('docs/operations/:id')
  @Header('content-type', 'text/html; charset=utf-8')
  one(@Param('id') id: string): string {
    const found = this.operations().find((each) => each.id === id);
    if (!found) throw new IntegrationError('not_found');
    return operationPage(found);
  }

  /** With a form for each call, by script. */
  @Get('docs/try')
  @Header('content-type', 'text/html; charset=utf-8')
  try(): string {
    return TRY;
  }

  @Get('docs/start.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  start(): string {
    return START;
  }

  @Get('docs/:asset')
  asset(@Param('asset') asset: string): StreamableFile {
    const type = Object.hasOwn(ASSETS, asset) ? ASSETS[asset] : undefined;
    if (!type) throw new IntegrationError('not_found');
    return new StreamableFile(createReadStream(join(assetFolder(), asset)), { type });
  }

  private operations(): ShownOperation[] {
    const { document } = this.openApi;
    return document ? operationsOf(document) : [];
  }
}

function assetFolder(): string {
  const swagger = dirname(require.resolve('@nestjs/swagger/package.json'));
  return dirname(require.resolve('swagger-ui-dist/package.json', { paths: [swagger] }));
}
