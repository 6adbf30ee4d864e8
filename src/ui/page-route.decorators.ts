import { applyDecorators, Get, Header, HttpCode, Post } from '@nestjs/common';
import { HiddenPage } from '../http-api';

/** A page of a person: known by the session, never stored by a browser or a proxy. */
export const PageRoute = (path = '') =>
  applyDecorators(HiddenPage(), Get(path), Header('content-type', 'text/html; charset=utf-8'), Header('cache-control', 'no-store'));

/** Where a page's form goes: changes something, needs the session's CSRF token. Answers with a redirect, or a page that asks. */
export const FormRoute = (path = '') =>
  applyDecorators(
    HiddenPage(),
    Post(path),
    HttpCode(200),
    Header('content-type', 'text/html; charset=utf-8'),
    Header('cache-control', 'no-store'),
  );
