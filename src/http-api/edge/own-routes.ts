import { UseFilters, UseGuards, type DynamicModule, type Type } from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AccessGuard } from '../principal/access.guard';
import { ProblemFilter } from '../problems/problem.filter';
import type { EdgeRequest } from '../request';

type Imported = Type | DynamicModule;

interface ModuleOfRoutes {
  readonly type: Type;
  readonly controllers: readonly Type[];
}

/** What Nest keeps of a decorated class and of a handler. */
const METADATA = {
  imports: 'imports',
  controllers: 'controllers',
  path: 'path',
  guards: '__guards__',
  routeConfig: '__fastify_route_config__',
};

/** Binds guard and filter to the controllers of these modules, and marks their routes: nothing else of the application is touched. Once for each. */
export function bindToControllers(modules: readonly Imported[]): void {
  for (const controller of withRoutes(modules).flatMap(({ controllers }) => controllers)) {
    if (((Reflect.getMetadata(METADATA.guards, controller) ?? []) as unknown[]).includes(AccessGuard)) continue;
    UseGuards(AccessGuard)(controller);
    UseFilters(ProblemFilter)(controller);
    for (const name of Object.getOwnPropertyNames(controller.prototype)) markRoute(controller.prototype as object, name);
  }
}

/** Lays the routes of these modules, and of what they import, below a path. */
export function routesBelow(path: string, modules: readonly Imported[]): DynamicModule {
  return RouterModule.register(typesOf(modules).map((module) => ({ path, module })));
}

/** The classes of these modules, and of what they import, that have controllers. */
export function typesOf(modules: readonly Imported[]): Type[] {
  return [...new Set(withRoutes(modules).map(({ type }) => type))];
}

/** Whether it goes to a controller that is bound. */
export function isOwnRoute({ routeOptions }: Pick<FastifyRequest, 'routeOptions'>): boolean {
  return isMarked(routeOptions.config);
}

/** Whether this is the handler of a controller that is bound. */
export function isOwnHandler(handler: unknown): boolean {
  return typeof handler === 'function' && isMarked(Reflect.getMetadata(METADATA.routeConfig, handler));
}

/** What fails before a controller is reached leaves as the controllers' own failures do. Before the routes are laid. */
export function answerOwnFaults(fastify: FastifyInstance, filter: ProblemFilter): void {
  fastify.addHook('onRoute', (route) => {
    if (!isMarked(route.config)) return;
    route.errorHandler = (error, request, reply) => filter.answer(error, request as EdgeRequest, reply as FastifyReply);
  });
}

function isMarked(config: unknown): boolean {
  return (config as { trestle?: boolean } | undefined)?.trestle === true;
}

function markRoute(prototype: object, name: string): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  const handler: unknown = descriptor?.value;
  if (!descriptor || typeof handler !== 'function' || !Reflect.hasMetadata(METADATA.path, handler)) return;
  const config = (Reflect.getMetadata(METADATA.routeConfig, handler) ?? {}) as object;
  RouteConfig({ ...config, trestle: true })(prototype, name, descriptor);
}

function withRoutes(modules: readonly Imported[], seen = new Set<Imported>()): ModuleOfRoutes[] {
  return modules.flatMap((each) => {
    if (seen.has(each)) return [];
    seen.add(each);
    const type = 'module' in each ? each.module : each;
    const told: Partial<DynamicModule> = 'module' in each ? each : {};
    const listOf = <T>(key: 'imports' | 'controllers') => [
      ...((Reflect.getMetadata(METADATA[key], type) ?? []) as T[]),
      ...((told[key] ?? []) as T[]),
    ];
    const controllers = listOf<Type>('controllers');
    const imported = withRoutes(listOf<Imported>('imports').filter(Boolean), seen);
    return controllers.length > 0 ? [{ type, controllers }, ...imported] : imported;
  });
}
