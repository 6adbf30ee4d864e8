import type { Principal, ProviderName, SandboxRequest } from './sandbox.types';
import { SeededRandom } from './random';

/** Kinds that stand in for the answer, so that nothing is done. */
const BEFORE = [
  'status',
  'rate-limit',
  'limit',
  'hang',
  'reset',
  'html-200',
  'gzip-bomb',
  'big-body',
  'no-error-json',
  'refuse-refresh',
] as const;
/** Kinds that spoil the answer after the work was done. */
const AFTER = [
  'reset-after',
  'hang-after',
  'slow-headers',
  'slow-body',
  'truncated-json',
  'cut-body',
  'wrong-content-type',
  'drop-after-rotate',
] as const;

export const FAULT_KINDS = ['latency', ...BEFORE, ...AFTER] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface FaultSpec {
  kind: FaultKind;
  /** Unset: every provider. */
  provider?: ProviderName;
  /** The endpoint's name; `chat.*` takes a prefix; unset: every endpoint. */
  endpoint?: string;
  account?: string;
  /** What the decoded path has in it: one calendar, one object. */
  path?: string;
  /** How many requests it hits; unset: until cleared. */
  count?: number;
  /** How many matching requests pass first (default 0). */
  after?: number;
  /** Share of matching requests that are hit, 0 to 1 (default 1). */
  probability?: number;
  /** For `status`, `rate-limit` and `no-error-json`. */
  status?: number;
  /** Value of Retry-After, as it is; null sends none. */
  retryAfter?: string | null;
  /** Wait before the rest, with any kind. */
  latencyMs?: number;
  /** For `status`: the body instead of the provider's own; a string is sent as text/html. */
  body?: unknown;
  /** For `gzip-bomb` and `big-body` (default 100). */
  megabytes?: number;
  /** For `slow-headers` and `slow-body`: ms between bytes (default 1000). */
  byteIntervalMs?: number;
  /** For `limit`: calls a second and burst, for each account, really enforced. */
  perSecond?: number;
  burst?: number;
}

export interface Fault extends FaultSpec {
  id: string;
  hits: number;
  seen: number;
}

/** What is to be done to one request. */
export interface FaultPlan {
  fault: Fault | null;
  latencyMs: number;
  retryAfter?: string | null;
}

interface Bucket {
  level: number;
  at: number;
}

/** Faults on demand: what goes wrong, where, how often. */
export class Faults {
  private faults: Fault[] = [];
  private nextId = 1;
  private readonly buckets = new Map<string, Bucket>();
  private readonly random: SeededRandom;

  constructor(
    private readonly now: () => number,
    seed: number,
  ) {
    this.random = new SeededRandom(seed);
  }

  add(spec: FaultSpec): Fault {
    if (!FAULT_KINDS.includes(spec.kind)) throw new Error(`unknown fault kind "${String(spec.kind)}"; one of ${FAULT_KINDS.join(', ')}`);
    const fault: Fault = { ...spec, id: `fault_${this.nextId++}`, hits: 0, seen: 0 };
    this.faults.push(fault);
    return fault;
  }

  list(): Fault[] {
    return this.faults;
  }

  clear(filter: { id?: string; provider?: string } = {}): number {
    const before = this.faults.length;
    this.faults = this.faults.filter(
      (fault) =>
        (filter.id !== undefined && fault.id !== filter.id) || (filter.provider !== undefined && fault.provider !== filter.provider),
    );
    return before - this.faults.length;
  }

  plan(provider: ProviderName, request: SandboxRequest, caller: Principal): FaultPlan {
    const plan: FaultPlan = { fault: null, latencyMs: 0 };
    for (const fault of this.faults) {
      if (!this.matches(fault, provider, request, caller)) continue;
      if (fault.kind !== 'latency' && plan.fault) continue;
      if (fault.count !== undefined && fault.hits >= fault.count) continue;
      if (fault.seen++ < (fault.after ?? 0)) continue;
      if (fault.probability !== undefined && this.random.next() >= fault.probability) continue;
      if (fault.kind === 'limit') {
        const waitS = this.overLimit(fault, caller.account ?? '');
        if (waitS === 0) continue;
        plan.retryAfter = String(Math.max(1, Math.ceil(waitS)));
      }
      fault.hits++;
      plan.latencyMs += fault.latencyMs ?? 0;
      if (fault.kind !== 'latency') plan.fault = fault;
    }
    return plan;
  }

  private matches(fault: Fault, provider: ProviderName, request: SandboxRequest, caller: Principal): boolean {
    if (fault.provider && fault.provider !== provider) return false;
    if (fault.account && fault.account !== caller.account) return false;
    if (fault.path && !decodeURIComponent(request.path).includes(fault.path)) return false;
    if ((fault.kind === 'refuse-refresh' || fault.kind === 'drop-after-rotate') && request.body['grant_type'] !== 'refresh_token')
      return false;
    if (!fault.endpoint) return true;
    if (fault.endpoint.endsWith('*')) return request.endpoint.startsWith(fault.endpoint.slice(0, -1));
    return fault.endpoint === request.endpoint;
  }

  private overLimit(fault: Fault, account: string): number {
    const perSecond = fault.perSecond ?? 1;
    const burst = fault.burst ?? Math.max(1, Math.ceil(perSecond));
    const key = `${fault.id} ${account}`;
    const now = this.now();
    const bucket = this.buckets.get(key) ?? { level: burst, at: now };
    bucket.level = Math.min(burst, bucket.level + ((now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    this.buckets.set(key, bucket);
    if (bucket.level < 1) return (1 - bucket.level) / perSecond;
    bucket.level -= 1;
    return 0;
  }
}

export function standsInForTheAnswer(kind: FaultKind): boolean {
  return (BEFORE as readonly string[]).includes(kind);
}
