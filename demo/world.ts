import { type TrestleClient, TrestleError } from '../packages/client/src/index.ts';
import { until, type Browser } from './http-client';

/** Who takes part in the demo, and where each is reached. Every step asks over HTTP: the product's API or the sandbox's control API. */
export interface World {
  readonly serviceUrl: string;
  readonly controlUrl: string;
  readonly user: TrestleClient;
  readonly admin: TrestleClient;
  /** What the description has no types of: a call of the user's to a provider's own API. */
  callProxy(path: string): Promise<Response>;
  readonly browser: Browser;
  readonly control: SandboxClient;
  /** Connection ids by provider, filled by the first steps. */
  readonly connections: Map<string, string>;
}

export interface LedgerEntry {
  readonly seq: number;
  readonly at: number;
  readonly kind: 'request' | 'delivery';
  readonly provider: string;
  readonly endpoint: string;
  readonly status: number | null;
  readonly durationMs?: number;
  readonly idempotencyKey?: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** The sandbox's control API: what the pretend providers saw, and what is to go wrong. */
export class SandboxClient {
  constructor(private readonly origin: string) {}

  async ledger(query: {
    provider?: string;
    endpoint?: string;
    kind?: 'request' | 'delivery';
    since?: number;
  }): Promise<readonly LedgerEntry[]> {
    const search = new URLSearchParams(Object.entries(query).map(([key, value]): [string, string] => [key, String(value)]));
    return ((await this.call('GET', `/ledger?${search.toString()}`)) as { entries: LedgerEntry[] }).entries;
  }

  async lastSeq(): Promise<number> {
    return ((await this.call('GET', '/ledger?limit=1')) as { lastSeq: number }).lastSeq;
  }

  async state(): Promise<SandboxState> {
    return (await this.call('GET', '/state')) as SandboxState;
  }

  post(path: string, body: unknown): Promise<unknown> {
    return this.call('POST', path, body);
  }

  async clearFaults(): Promise<void> {
    await this.call('DELETE', '/faults');
  }

  private async call(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.origin}${path}`, {
      method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(60_000),
    });
    const json: unknown = await response.json();
    if (!response.ok) throw new Error(`the sandbox refused ${method} ${path.split('?')[0]}: ${JSON.stringify(json).slice(0, 200)}`);
    return json;
  }
}

/** The part of the sandbox's state that the demo reads: by provider, then by account. */
export type SandboxState = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;

/** The one account that the demo has at a provider. */
export async function accountState(world: World, provider: string, account: string): Promise<Readonly<Record<string, unknown>>> {
  const state = (await world.control.state())[provider]?.[account];
  if (!state) throw new Error(`the sandbox knows no account ${account} at ${provider}`);
  return state;
}

/** The connection at a provider, as the path's parameter of a call. */
export function connectionAt(world: World, provider: string): { id: string } {
  const id = world.connections.get(provider);
  if (!id) throw new Error(`${provider} is not connected`);
  return { id };
}

/** How a call that has to fail fails. */
export async function failureOf(call: Promise<unknown>): Promise<TrestleError> {
  const failure = await call.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
  if (failure instanceof TrestleError) return failure;
  throw failure;
}

/** The last run of a connection, once it has ended. */
export async function finishedRun(world: World, provider: string) {
  const last = async () =>
    (await world.user.get('/v1/connections/{id}/syncs', { params: { path: connectionAt(world, provider) } })).data[0];
  return until(last, (run) => run !== undefined && !['queued', 'running'].includes(run.status), 60_000);
}

/** Every live record of a resource, read through the change feed. */
export async function readRecords(world: World, provider: string, resource: string): Promise<Record<string, unknown>[]> {
  const live = new Map<string, Record<string, unknown>>();
  for await (const { id, data, deleted } of world.user.records(connectionAt(world, provider).id, resource)) {
    if (deleted) live.delete(id);
    else live.set(id, data as Record<string, unknown>);
  }
  return [...live.values()];
}
