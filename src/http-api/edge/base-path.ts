import type { FastifyInstance, FastifyRequest } from 'fastify';
import { withoutBase } from '../../config/base-path';
import type { EdgeRequest } from '../request';

/** Attributes that hold an address. What comes from outside cannot bring one about: its quotes are escaped (`html`). */
const OWN_LINK = /\b(href|src|action|formaction)="\/(?!\/)/g;
const OWN_REFRESH = /(<meta http-equiv="refresh" content="\d+;url=)\/(?!\/)/g;

/**
 * Where all addresses lie below a path, it is known here alone: inside, every path is as if there were none. It is put before the paths
 * that leave (links, forms and files of pages, `Location`), and taken off those that come (`ownUrl`, `ownRoute`).
 */
export function putBelowBase(fastify: FastifyInstance, basePath: string, owns: (request: FastifyRequest) => boolean): void {
  fastify.decorateRequest('basePath', basePath);
  if (basePath === '') return;
  fastify.addHook('onSend', (request, reply, payload, done) => {
    if (!owns(request)) return done(null, payload);
    const location = reply.getHeader('location');
    if (typeof location === 'string' && /^\/(?!\/)/.test(location)) reply.header('location', basePath + location);
    const isPage = typeof payload === 'string' && String(reply.getHeader('content-type')).startsWith('text/html');
    return done(null, isPage ? linkedBelow(basePath, payload) : payload);
  });
}

export function linkedBelow(basePath: string, page: string): string {
  return page.replace(OWN_LINK, `$1="${basePath}/`).replace(OWN_REFRESH, `$1${basePath}/`);
}

/** The address of a request, path and query, as if there were no base path. */
export function ownUrl(request: EdgeRequest): string {
  return withoutBase(request.basePath, request.url);
}

/** The template of its route, likewise; undefined where none matches. */
export function ownRoute({ basePath, routeOptions }: Pick<EdgeRequest, 'basePath' | 'routeOptions'>): string | undefined {
  return routeOptions.url === undefined ? undefined : withoutBase(basePath, routeOptions.url);
}
