import type { INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { callerAddresses } from './http-api/edge/caller-address';
import { CrossOrigin } from './http-api/edge/cross-origin';
import { Drain } from './http-api/edge/drain';
import { BodyBudget } from './http-api/edge/body-budget';
import { imageSource } from './http-api/html';
import { GUEST_MODULES } from './http-api/http-api.module';
import { answerOwnFaults, isOwnRoute } from './http-api/edge/own-routes';
import { ProblemFilter } from './http-api/problems/problem.filter';
import { EdgeLimits } from './http-api/edge/edge-limits';
import { EDGE_LOGGER, type EdgeLogger } from './http-api/edge/logger';
import { putBelowBase } from './http-api/edge/base-path';
import { registerEdgeHooks } from './http-api/edge/hooks';
import { EdgeAdapter, registerEdgePlugins } from './http-api/edge/edge-adapter';
import { watchProcess } from './http-api/edge/http-metrics';
import { createLogger } from './http-api/logging';
import { NestLogger } from './http-api/nest-logger';
import { BearerCallers } from './http-api/principal/bearer-callers';
import { OpenApi } from './http-api/openapi/open-api';
import { Problems } from './http-api/problems/problems';
import { RequestRules } from './http-api/edge/request-rules';
import { RouteTable } from './http-api/edge/route-table';
import { securityHeaders } from './http-api/edge/security-headers';
import { AppModule, StartPageModule, type AppParts } from './app.module';
import { CLOCK, type Clock } from './clock';
import { withoutBase } from './config/base-path';
import { completeAddress } from './config/bound-address';
import { SETTINGS } from './config/config.module';
import type { Settings } from './config/env';
import { SettingsError } from './config/settings-error';
import { OperationRegistry, ProviderRegistry, WebhookInbox } from './integrations';

export interface AppOptions {
  clock?: Clock;
  logger?: EdgeLogger;
  /** Modules of the product, e.g. with its own event handlers. */
  imports?: AppParts['imports'];
}

/** The whole service, ready to `listen`. */
export async function createApp(
  settings: Settings,
  { clock, logger = createLogger(settings), imports = [] }: AppOptions = {},
): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forRoot(settings, { logger, clock, imports: [...imports, StartPageModule] }),
    serviceAdapter(settings),
    nestOptions(logger),
  );
  return configureApp(app);
}

/** For the service that runs by itself: it is reached below its base path and without it, as probes need none, and a proxy may take it off. */
export function serviceAdapter(settings: Settings): EdgeAdapter {
  return new EdgeAdapter(settings, undefined, (edge) => (request, response) => {
    request.url = withoutBase(settings.basePath, request.url ?? '');
    edge(request, response);
  });
}

/** Parsers are the edge's own; a start that fails throws instead of ending the process, so that its reason can be told. */
export function nestOptions(logger: EdgeLogger) {
  return { bodyParser: false, abortOnError: false, logger: new NestLogger(logger) };
}

const WRONG_ADAPTER =
  'Trestle needs its own adapter in front: NestFactory.create(AppModule, new EdgeAdapter(settings)) on Fastify, new ExpressEdgeAdapter(settings) of trestle/express on Express. A plain one reads a body before anybody has looked at who sends it, and webhooks are verified over the bytes as they came.';

/** What has to be done to a created application before its routes are laid, and the laying. A host of one's own calls this in place of `init`. */
export async function configureApp<App extends INestApplication>(app: App): Promise<App> {
  const adapter: unknown = app.getHttpAdapter();
  const edge = edgeOf(adapter);
  if (!edge) throw new Error(WRONG_ADAPTER);
  const settings = app.get<Settings>(SETTINGS);
  const guest = app.get<readonly Type[] | null>(GUEST_MODULES);
  const owns = guest ? isOwnRoute : () => true;
  const fastify = edge.getInstance() as unknown as FastifyInstance;
  const routes = app.get(RouteTable);
  routes.watch(fastify);
  const rules = new RequestRules({
    logger: app.get<EdgeLogger>(EDGE_LOGGER),
    limits: app.get(EdgeLimits),
    drain: app.get(Drain),
    serves: settings.serves,
    securityHeaders: securityHeaders({
      https: settings.publicUrl.startsWith('https:'),
      images: imageSource(settings.brand),
      formTargets: () => consentOrigins(app),
    }),
  });
  const bodies = new BodyBudget();
  putBelowBase(fastify, settings.basePath, owns);
  registerEdgeHooks(fastify, { rules, bearers: app.get(BearerCallers), crossOrigin: app.get(CrossOrigin), bodies, owns });
  await registerEdgePlugins(fastify, settings, owns);
  if (guest) answerOwnFaults(fastify, app.get(ProblemFilter));
  await app.init();
  assertLaid(routes, guest ? settings.basePath : '');
  if (adapter !== edge) {
    await fastify.ready();
    (adapter as SharedAdapter).share(routes);
  }
  if (settings.webhookFastPath && settings.serves) openFastPath(app, edge, settings, { rules, bodies });
  if (settings.docs) {
    const operations = app.get(OperationRegistry);
    app.get(OpenApi).describe(app, (name) => operations.find(name), { basePath: settings.basePath, ...(guest && { modules: guest }) });
  }
  watchProcess();
  return app;
}

/** An adapter that has Trestle's edge in front of another server (`ExpressEdgeAdapter`). */
interface SharedAdapter {
  readonly edge: EdgeAdapter;
  share(routes: RouteTable): void;
}

function edgeOf(adapter: unknown): EdgeAdapter | undefined {
  if (adapter instanceof EdgeAdapter) return adapter;
  const { edge } = adapter as Partial<SharedAdapter>;
  return edge instanceof EdgeAdapter ? edge : undefined;
}

/** A global prefix of the application moves Trestle's routes as well, and nothing of Trestle would know. */
function assertLaid(routes: RouteTable, basePath: string): void {
  const probe = `${basePath}/health/live`;
  if (routes.has(probe)) return;
  throw new Error(
    `Trestle's routes are not where it was told: there is no ${probe}. Leave them out of the application's global prefix or version, ` +
      `setGlobalPrefix('api', { exclude: ['${basePath.slice(1) || 'v1'}/{*path}'] }), and say where they lie with TrestleModule's prefix.`,
  );
}

function openFastPath(
  app: INestApplication,
  edge: EdgeAdapter,
  settings: Settings,
  parts: { rules: RequestRules; bodies: BodyBudget },
): void {
  const inbox = app.get(WebhookInbox);
  const registry = app.get(ProviderRegistry);
  edge.plainDeliveries.open({
    ...parts,
    basePath: settings.basePath,
    problems: app.get(Problems),
    clock: app.get<Clock>(CLOCK),
    maxBytes: settings.webhookMaxBytes,
    addressOf: callerAddresses(settings.trustedProxies).addressOf,
    takes: (provider) => registry.find(provider)?.webhooks !== undefined,
    receive: (provider, delivery) => inbox.receive(provider, delivery),
  });
}

/** Opens its port; with port 0 one that the machine chooses. Resolves with the origin under which it is reached on this machine. */
export async function listen(app: INestApplication, settings: Settings): Promise<string> {
  try {
    await app.listen(settings.port, settings.host);
  } catch (error) {
    throw listenFault((error as NodeJS.ErrnoException).code, settings) ?? error;
  }
  return completeAddress(settings, ((app.getHttpServer() as Server).address() as AddressInfo).port);
}

function listenFault(code: string | undefined, { port, host }: Pick<Settings, 'port' | 'host'>): SettingsError | undefined {
  if (code === 'EADDRINUSE')
    return new SettingsError([
      `PORT: ${port} on ${host} is taken by another program; end that one, or set PORT to another (0: any that is free)`,
    ]);
  if (code === 'EACCES')
    return new SettingsError([`PORT: this user may not open ${port}; set PORT to one of 1024 or more, behind a proxy that has the other`]);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new SettingsError([`HOST: ${host} is no address of this machine; 0.0.0.0 stands for all it has`]);
  return undefined;
}

/** A parent that opened a channel to this process is told where it listens. */
export function tellParent({ port }: Settings): void {
  process.send?.({ listening: port });
}

function consentOrigins(app: INestApplication): string[] {
  const origins = app
    .get(ProviderRegistry)
    .offered()
    .flatMap(({ oauth2 }) => (oauth2 && URL.canParse(oauth2.authorizeUrl) ? [new URL(oauth2.authorizeUrl).origin] : []));
  return [...new Set(origins)];
}
