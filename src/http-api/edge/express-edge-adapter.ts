import { ExpressAdapter } from '@nestjs/platform-express';
import type { NestApplicationOptions } from '@nestjs/common';
import type { RequestListener } from 'node:http';
import type { Settings } from '../../config/env';
import { EdgeAdapter } from './edge-adapter';
import { isOwnHandler } from './own-routes';
import { PlainDeliveries } from './plain-deliveries';
import type { RouteTable } from './route-table';

type Handled = Parameters<ExpressAdapter['get']>;

const METHODS = ['get', 'post', 'put', 'patch', 'delete', 'options', 'head', 'all'] as const;

/**
 * For an application on Express: one server, in front of both. Requests to Trestle's routes go to its edge, as in any other application,
 * before anything of Express has seen them: who sends is asked before the body is read, and webhooks are verified over the bytes as they
 * came. All others go to Express, and know nothing of it.
 */
export class ExpressEdgeAdapter extends ExpressAdapter {
  readonly edge: EdgeAdapter;
  private routes?: RouteTable;

  /** @param instance an Express application of the host's own */
  constructor(settings: Pick<Settings, 'trustedProxies' | 'publicUrl'>, instance?: RequestListener) {
    super(instance);
    const express = this.getInstance<RequestListener>();
    this.edge = new EdgeAdapter(settings, new PlainDeliveries(), (edge) => (request, response) => {
      const isOwn = this.routes?.takes(request.method ?? '', request.url ?? '') === true;
      return isOwn ? edge(request, response) : express(request, response);
    });
    for (const method of METHODS) this.divide(method);
  }

  /** From now on these are Trestle's. */
  share(routes: RouteTable): void {
    this.routes = routes;
  }

  override async init(): Promise<void> {
    await this.edge.init();
  }

  /** @throws Error for TLS: the edge's limits stand on a plain server, behind a proxy that has the certificate */
  override initHttpServer(options: NestApplicationOptions): void {
    if (options?.httpsOptions)
      throw new Error('Trestle takes no httpsOptions: let a proxy in front of it speak TLS, as deploy/proxy does.');
    this.edge.initHttpServer();
    this.setHttpServer(this.edge.getHttpServer() as unknown as ReturnType<ExpressAdapter['getHttpServer']>);
  }

  override async close(): Promise<void> {
    await super.close();
    await this.edge.close();
  }

  override reply(response: unknown, body: unknown, statusCode?: number): unknown {
    return isOfEdge(response) ? this.edge.reply(response, body as never, statusCode) : super.reply(response, body, statusCode);
  }

  override status(response: unknown, statusCode: number): unknown {
    return isOfEdge(response) ? this.edge.status(response, statusCode) : super.status(response, statusCode);
  }

  override end(response: unknown, message?: string): unknown {
    return isOfEdge(response) ? this.edge.end(response, message as string) : super.end(response, message);
  }

  override redirect(response: unknown, statusCode: number, url: string): unknown {
    return isOfEdge(response) ? this.edge.redirect(response, statusCode, url) : super.redirect(response, statusCode, url);
  }

  override isHeadersSent(response: unknown): boolean {
    return isOfEdge(response) ? this.edge.isHeadersSent(response) : super.isHeadersSent(response);
  }

  override getHeader(response: unknown, name: string): unknown {
    return isOfEdge(response) ? this.edge.getHeader(response, name) : super.getHeader(response, name);
  }

  override setHeader(response: unknown, name: string, value: string): unknown {
    return isOfEdge(response) ? this.edge.setHeader(response, name, value) : super.setHeader(response, name, value);
  }

  override appendHeader(response: unknown, name: string, value: string): unknown {
    return isOfEdge(response) ? this.edge.appendHeader(response, name, value) : super.appendHeader(response, name, value);
  }

  override getRequestHostname(request: unknown): string {
    return isOfEdge(request) ? this.edge.getRequestHostname(request) : super.getRequestHostname(request);
  }

  override getRequestMethod(request: unknown): string {
    return isOfEdge(request) ? this.edge.getRequestMethod(request) : super.getRequestMethod(request);
  }

  override getRequestUrl(request: unknown): string {
    return isOfEdge(request) ? this.edge.getRequestUrl(request) : super.getRequestUrl(request);
  }

  /** Paths are put into Express's terms where they are its own, when their route is laid. */
  override normalizePath(path: string): string {
    return path;
  }

  /** Lays a route where its handler belongs. */
  private divide(method: (typeof METHODS)[number]): void {
    const atExpress = super[method].bind(this) as (...args: unknown[]) => unknown;
    const atEdge = this.edge[method].bind(this.edge) as (...args: unknown[]) => unknown;
    this[method] = (...args: unknown[]) => {
      const [path, handler] = args as Handled;
      if (isOwnHandler(handler)) return atEdge(path, handler);
      return typeof path === 'string' ? atExpress(super.normalizePath(path), ...args.slice(1)) : atExpress(...args);
    };
  }
}

/** Requests and replies of the edge have Node's behind them; Express's are Node's. */
function isOfEdge<T>(side: T): side is T & { raw: never } & never {
  return typeof side === 'object' && side !== null && 'raw' in side;
}
