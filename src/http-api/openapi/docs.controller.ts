import { Controller, Get, Header, Inject, Injectable, Param, Redirect, Res, UseGuards, type CanActivate } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { IntegrationError } from '../../errors';
import { Public } from '../principal/access.decorators';
import { ApiExcludeController } from '@nestjs/swagger';
import { operationPage, operationsOf, referencePage } from './docs-pages';
import { OpenApi } from './open-api';
import type { ShownOperation } from './shown-operation';

const TRY = readFileSync(join(__dirname, 'assets', 'try.js'), 'utf8');

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

  /** Before there was a form on each call's page. */
  @Get('docs/try')
  @Redirect('/docs', 301)
  try(): void {}

  @Get('docs/try.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  script(): string {
    return TRY;
  }

  private operations(): ShownOperation[] {
    const { document } = this.openApi;
    return document ? operationsOf(document) : [];
  }
}
