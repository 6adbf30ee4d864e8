import type { EndpointFacts, HttpFacts } from '../contract';

export interface Endpoint {
  /** Path with what varies replaced: the name in logs and limits. Never holds a value that a caller chose. */
  readonly template: string;
  readonly facts?: EndpointFacts;
}

interface Matcher {
  readonly facts: EndpointFacts;
  readonly method?: string;
  readonly pattern: RegExp;
}

const compiled = new WeakMap<HttpFacts, readonly Matcher[]>();

/** First match wins; without one the path is named with its ids replaced. */
export function matchEndpoint(http: HttpFacts, method: string, pathname: string): Endpoint {
  let matchers = compiled.get(http);
  if (!matchers) compiled.set(http, (matchers = http.endpoints.map(compile)));
  for (const { facts, method: only, pattern } of matchers) {
    if ((only === undefined || only === method) && pattern.test(pathname)) return { template: facts.path, facts };
  }
  return { template: templateOf(pathname) };
}

/** Keeps what looks like the name of a method or a version, replaces the rest. */
export function templateOf(pathname: string): string {
  const segments = pathname.split('/').slice(0, 12);
  return segments.map((segment) => (segment === '' || /^(v\d{1,3}|[a-z][a-z_.-]{0,39})$/i.test(segment) ? segment : ':id')).join('/');
}

function compile(facts: EndpointFacts): Matcher {
  const pattern = facts.path
    .split('/')
    .map((segment) => (segment.startsWith(':') ? (segment.endsWith('+') ? '.+' : '[^/]+') : escapeRegExp(segment)))
    .join('/');
  return { facts, ...(facts.method && { method: facts.method.toUpperCase() }), pattern: new RegExp(`^${pattern}$`) };
}

function escapeRegExp(segment: string): string {
  return segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
