import type { FastifyInstance } from 'fastify';

interface Entry {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** The routes that were registered, to tell a wrong method from a wrong address. */
export class RouteTable {
  private readonly entries = new Map<string, Entry>();

  watch(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', (route) => {
      const entry = this.entries.get(route.url) ?? { pattern: patternOf(route.url), methods: new Set<string>() };
      for (const method of [route.method].flat()) entry.methods.add(method);
      this.entries.set(route.url, entry);
    });
  }

  /** The methods that an address takes; none where there is no such address. */
  methodsAt(url: string): string[] {
    const path = url.split('?', 1)[0] as string;
    return [...this.entries.values()].flatMap((entry) => (entry.pattern.test(path) ? [...entry.methods] : []));
  }
}

function patternOf(routeUrl: string): RegExp {
  const source = routeUrl
    .split('/')
    .map((part) => (part === '*' ? '.*' : part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
    .join('/');
  return new RegExp(`^${source}$`);
}
