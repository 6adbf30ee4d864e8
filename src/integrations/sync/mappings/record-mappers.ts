import { Injectable, SetMetadata, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, Reflector } from '@nestjs/core';

const MAPPED = 'trestle:map-records';

/** Whose record it is. */
export interface RecordPlace {
  readonly tenant: string;
  readonly connectionId: string;
  readonly recordId: string;
}

/** The product's own code: makes of a provider's object what readers of the feed get. What it throws is told with the record. */
export interface RecordMapper<T = unknown> {
  map(data: T, place: RecordPlace): unknown;
}

/**
 * Marks a `RecordMapper` for a provider's resource. It runs at each reading, so it has to be quick and to depend on the record alone.
 * @example
 * \@MapRecords('acme', 'contacts')
 * export class ContactMapper implements RecordMapper<AcmeContact> {
 *   map({ email, name }: AcmeContact) { return { email, name }; }
 * }
 */
export const MapRecords = (provider: string, resource: string): ClassDecorator => SetMetadata(MAPPED, { provider, resource });

/** The mappers that are provided in any module. Two of one resource are a fault of the start. */
@Injectable()
export class RecordMappers implements OnModuleInit {
  private readonly known = new Map<string, RecordMapper>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly reflector: Reflector,
  ) {}

  onModuleInit(): void {
    for (const { instance, metatype } of this.discovery.getProviders()) {
      if (typeof metatype !== 'function' || !instance) continue;
      const marked = this.reflector.get<{ provider: string; resource: string } | undefined>(MAPPED, metatype);
      if (!marked) continue;
      const key = keyOf(marked.provider, marked.resource);
      if (typeof (instance as RecordMapper).map !== 'function')
        throw new Error(`${metatype.name} is marked with @MapRecords but has no method map().`);
      if (this.known.has(key)) throw new Error(`Two classes map ${marked.provider} ${marked.resource}; ${metatype.name} is one of them.`);
      this.known.set(key, instance as RecordMapper);
    }
  }

  find(provider: string, resource: string): RecordMapper | undefined {
    return this.known.get(keyOf(provider, resource));
  }
}

function keyOf(provider: string, resource: string): string {
  return JSON.stringify([provider, resource]);
}
