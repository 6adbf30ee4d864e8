import type { Settings } from '../../../config/env';
import { IntegrationError } from '../../../errors';
import type { HttpFacts } from '../../contract';
import { matchEndpoint } from '../../outbound';

export interface ProxiedRequest {
  readonly method: string;
  readonly target: URL;
  readonly headers: Headers;
  readonly body?: Buffer;
}

/** In whose name a proxied call is made. */
export type CallsAs = 'connection' | 'app';

/**
 * What may go through the proxy: endpoints that the provider's facts name (or any, as the setting says), never another account's or credential's name.
 * @throws IntegrationError `proxy_not_allowed`
 */
export function assertAllowedThroughProxy(
  request: ProxiedRequest,
  http: HttpFacts,
  mode: Settings['proxy'],
  as: CallsAs = 'connection',
): void {
  if (mode === 'off') {
    throw refused('The proxy is switched off.', 'Use one of the provider’s operations, or let an operator set PROXY=declared.');
  }
  const { facts } = matchEndpoint(http, request.method, request.target.pathname);
  const reach = facts?.proxy ?? (facts ? 'declared' : 'any');
  if (reach === 'never') {
    throw refused(
      'This endpoint gives, renews or ends a grant, which is not done through the proxy.',
      'To end a connection, send DELETE /v1/connections/:id.',
    );
  }
  if (reach === 'any' && mode !== 'any') {
    throw refused(
      'The provider’s facts do not name this endpoint.',
      'Add it to the provider’s endpoints, use one of its operations, or let an operator name the provider in PROXY_ANY_FOR.',
    );
  }
  const foreign = foreignNameIn(request, http.foreignAccount ?? {});
  if (foreign !== undefined) {
    throw refused(`${foreign} names another account or credential than the ${as}’s.`, `Leave it out: the ${as} decides for whom it is.`);
  }
}

function foreignNameIn({ headers, target, body }: ProxiedRequest, facts: NonNullable<HttpFacts['foreignAccount']>): string | undefined {
  const header = facts.headers?.find((name) => headers.has(name));
  if (header !== undefined) return `The header ${header}`;
  const names = new Set(facts.parameters ?? []);
  if (names.size === 0) return undefined;
  for (const parameter of parametersOf(target, headers, body)) {
    // `name[]` and `name[x]` are the parameter `name` for many a provider.
    const [name = ''] = parameter.toLowerCase().split('[');
    if (names.has(name.trim())) return `The parameter ${name.trim()}`;
  }
  return undefined;
}

const PART_NAME = /name\*?\s*=\s*(?:"([^"]*)"|([^\s;"]+))/gi;

/** Of the query and the body, read in each way that a provider might read it. */
function* parametersOf(target: URL, headers: Headers, body: Buffer | undefined): Iterable<string> {
  yield* target.searchParams.keys();
  if (!body) return;
  const type = (headers.get('content-type') ?? '').toLowerCase();
  const text = body.toString('latin1');
  if (type.includes('multipart/')) {
    for (const [, quoted, bare] of text.matchAll(PART_NAME)) yield quoted ?? bare ?? '';
    return;
  }
  const json = parsed(body);
  if (typeof json === 'object' && json !== null) yield* Object.keys(json);
  if (!type.includes('json')) yield* new URLSearchParams(text).keys();
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function refused(detail: string, nextStep: string): IntegrationError {
  return new IntegrationError('proxy_not_allowed', { detail, nextStep, notExecuted: true });
}
