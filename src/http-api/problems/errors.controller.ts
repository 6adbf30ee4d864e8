import { Controller, Get, Header } from '@nestjs/common';
import { ERROR_KINDS } from '../../errors';
import { Public } from '../principal/access.decorators';
import { ApiExcludeController } from '@nestjs/swagger';
import { html, htmlPage } from '../html';

/** The page that the `type` of every problem leads to. */
@ApiExcludeController()
@Controller('errors')
export class ErrorsController {
  private readonly page = errorCataloguePage();

  @Public()
  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('cache-control', 'public, max-age=3600')
  show(): string {
    return this.page;
  }
}

function errorCataloguePage(): string {
  const entries = Object.entries(ERROR_KINDS).map(
    ([code, kind]) =>
      html`<section id="${code}">
        <h2>${kind.title}</h2>
        <p><code>${code}</code> · ${kind.status} · ${kind.retryable ? 'may be tried again' : 'trying again does not help'}</p>
        <p>${kind.detail}</p>
        <p>${kind.nextStep}</p>
      </section>`,
  );
  return htmlPage('Errors', html`${entries}`);
}
