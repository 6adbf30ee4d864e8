import type { INestApplicationContext } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';

/** Set by `@Interval` of `@nestjs/schedule`. */
const INTERVAL = 'SCHEDULE_INTERVAL_OPTIONS';

export interface Tick {
  /** Class and method. */
  readonly name: string;
  readonly tick: () => Promise<unknown>;
}

/** All injectables of an application. */
export function instancesOf(app: INestApplicationContext): object[] {
  const instances = app
    .get(DiscoveryService, { strict: false })
    .getProviders()
    .flatMap(({ instance }) => (typeof instance === 'object' && instance !== null ? [instance as object] : []));
  return [...new Set(instances)];
}

/** Every method with `@Interval`, of whichever module. */
export function ticksOf(app: INestApplicationContext): Tick[] {
  return instancesOf(app).flatMap((owner) => {
    const prototype = Object.getPrototypeOf(owner) as object;
    return Object.entries(Object.getOwnPropertyDescriptors(prototype)).flatMap(([method, { value }]) => {
      if (typeof value !== 'function' || !Reflect.hasMetadata(INTERVAL, value as object)) return [];
      const tick = value as () => Promise<unknown>;
      return [{ name: `${owner.constructor.name}.${method}`, tick: () => Promise.resolve(tick.call(owner)) }];
    });
  });
}
