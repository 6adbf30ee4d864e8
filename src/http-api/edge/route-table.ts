import type { FastifyInstance } from 'fastify';

interface Entry {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
  /** Those that pages of other origins may ask for. */
  readonly openToBrowsers: Set<string>;
}

/** The routes that were registered, to tell a wrong method from a wrong address. */
export class RouteTable {
  private readonly entries = new Map<string, Entry>();

  watch(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', (route) => {
      const entry = this.entries.get(route.url) ?? newEntry(route.url);
      for (const method of [route.method].flat()) {
        entry.methods.add(method);
        if (isOpenToBrowsers(route)) entry.openToBrowsers.add(method);
      }
      this.entries.set(route.url, entry);
    });
  }

  /** The methods that an address takes; none where there is no such address. */
  methodsAt(url: string): string[] {
    return this.entriesAt(url).flatMap(({ methods }) => [...methods]);
  }

  /** The methods of an address that pages of other origins may ask for. */
  openToBrowsersAt(url: string): string[] {
    return this.entriesAt(url).flatMap(({ openToBrowsers }) => [...openToBrowsers]);
  }

  private entriesAt(url: string): Entry[] {
    const path = url.split('?', 1)[0] as string;
    return [...this.entries.values()].filter(({ pattern }) => pattern.test(path));
  }
}

/** Of a route, or of the one that a request has met. */
export function isOpenToBrowsers({ config }: { readonly config?: unknown }): boolean {
  return (config as { openToBrowsers?: boolean } | undefined)?.openToBrowsers === true;
}

function newEntry(url: string): Entry {
  return { pattern: patternOf(url), methods: new Set(), openToBrowsers: new Set() };
}

function patternOf(routeUrl: string): RegExp {
  const source = routeUrl
    .split('/')
    .map((part) => (part === '*' ? '.*' : part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
    .join('/');
  return new RegExp(`^${source}$`);
}
