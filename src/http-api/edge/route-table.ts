import type { FastifyInstance } from 'fastify';

interface Entry {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
  /** Those that pages of other origins may ask for. */
  readonly openToBrowsers: Set<string>;
}

/** The routes that were registered, to tell a wrong method from a wrong address, and ours from somebody else's. */
export class RouteTable {
  private readonly entries = new Map<string, Entry>();
  /** The constant beginnings, up to the second slash: most addresses of others are told by them. */
  private readonly beginnings = new Set<string>();

  watch(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', (route) => {
      const entry = this.entries.get(route.url) ?? newEntry(route.url);
      for (const method of [route.method].flat()) {
        entry.methods.add(method);
        if (isOpenToBrowsers(route)) entry.openToBrowsers.add(method);
      }
      this.entries.set(route.url, entry);
      this.beginnings.add(beginningOf(route.url));
    });
  }

  /** Whether an address with this method is one of these routes, or what a browser asks of one before it calls it. */
  takes(method: string, url: string): boolean {
    if (!this.beginnings.has(beginningOf(pathOf(url)))) return false;
    return this.methodsAt(url).includes(method) || (method === 'OPTIONS' && this.openToBrowsersAt(url).length > 0);
  }

  /** The methods that an address takes; none where there is no such address. */
  methodsAt(url: string): string[] {
    return this.entriesAt(url).flatMap(({ methods }) => [...methods]);
  }

  /** The methods of an address that pages of other origins may ask for. */
  openToBrowsersAt(url: string): string[] {
    return this.entriesAt(url).flatMap(({ openToBrowsers }) => [...openToBrowsers]);
  }

  has(url: string): boolean {
    return this.entries.has(url);
  }

  private entriesAt(url: string): Entry[] {
    const path = pathOf(url);
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

function pathOf(url: string): string {
  return url.split('?', 1)[0] as string;
}

function beginningOf(path: string): string {
  return path.split('/', 2)[1] ?? '';
}

function patternOf(routeUrl: string): RegExp {
  const source = routeUrl
    .split('/')
    .map((part) => (part === '*' ? '.*' : part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
    .join('/');
  return new RegExp(`^${source}$`);
}
