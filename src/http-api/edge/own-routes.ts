import { UseFilters, UseGuards, type DynamicModule, type Type } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AccessGuard } from '../principal/access.guard';
import { ProblemFilter } from '../problems/problem.filter';
import type { EdgeRequest } from '../request';

type Imported = Type | DynamicModule;
/** What Nest keeps of a decorated class and of a handler. */
const METADATA = { imports: 'imports', controllers: 'controllers', path: 'path', routeConfig: '__fastify_route_config__' };

const bound = new WeakSet<Type>();

/** Binds guard and filter to the controllers of these modules, and marks their routes: nothing else of the application is touched. Once for each. */
export function bindToControllers(modules: readonly Imported[]): void {
  for (const controller of controllersOf(modules)) {
    if (bound.has(controller)) continue;
    bound.add(controller);
    UseGuards(AccessGuard)(controller);
    UseFilters(ProblemFilter)(controller);
    for (const name of Object.getOwnPropertyNames(controller.prototype)) markRoute(controller.prototype as object, name);
  }
}

/** Whether it goes to a controller that is bound. */
export function isOwnRoute({ routeOptions }: Pick<FastifyRequest, 'routeOptions'>): boolean {
  return (routeOptions.config as { trestle?: boolean } | undefined)?.trestle === true;
}

/** What fails before a controller is reached leaves as the controllers' own failures do. Before the routes are laid. */
export function answerOwnFaults(fastify: FastifyInstance, filter: ProblemFilter): void {
  fastify.addHook('onRoute', (route) => {
    if ((route.config as { trestle?: boolean } | undefined)?.trestle !== true) return;
    route.errorHandler = (error, request, reply) => filter.answer(error, request as EdgeRequest, reply as FastifyReply);
  });
}

function markRoute(prototype: object, name: string): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  const handler: unknown = descriptor?.value;
  if (!descriptor || typeof handler !== 'function' || !Reflect.hasMetadata(METADATA.path, handler)) return;
  const config = (Reflect.getMetadata(METADATA.routeConfig, handler) ?? {}) as object;
  RouteConfig({ ...config, trestle: true })(prototype, name, descriptor);
}

function controllersOf(modules: readonly Imported[], seen = new Set<Imported>()): Type[] {
  return modules.flatMap((each) => {
    if (seen.has(each)) return [];
    seen.add(each);
    const type = 'module' in each ? each.module : each;
    const told: Partial<DynamicModule> = 'module' in each ? each : {};
    const listOf = <T>(key: 'imports' | 'controllers') => [
      ...((Reflect.getMetadata(METADATA[key], type) ?? []) as T[]),
      ...((told[key] ?? []) as T[]),
    ];
    return [...listOf<Type>('controllers'), ...controllersOf(listOf<Imported>('imports').filter(Boolean), seen)];
  });
}
