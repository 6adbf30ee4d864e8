import { systemClock } from '../../src/clock';
import { buildChain } from '../../src/integrations/outbound/build-chain';
import { CircuitStates } from '../../src/integrations/outbound/policies/circuit-states';
import { MemoryLimitStore } from '../../src/integrations/outbound/policies/limits/memory-limit-store';
import { Transport } from '../../src/integrations/outbound/transport/transport';
import type { Fetch, Provider } from '../../src/integrations/contract';

/** The way out to one origin with all its steps, but that there is no token to add and the request log is not kept. */
export function governedFetch(origin: string): { fetch: Fetch; close(): Promise<void> } {
  const transport = new Transport(systemClock);
  const chain = buildChain({
    clock: systemClock,
    random: Math.random,
    log: { add: () => undefined },
    circuits: new CircuitStates(systemClock, Math.random),
    limits: new MemoryLimitStore(systemClock),
    transport,
  });
  const provider: Provider = {
    key: 'bench',
    name: 'Bench',
    configured: true,
    apiBaseUrl: origin,
    auth: { parseTokenResponse: () => [], identify: () => Promise.reject(new Error('not asked here')) },
    http: { endpoints: [], limits: {}, defaultLimits: [] },
    actions: [],
  };
  const fetch = chain.fetchFor({
    provider,
    purpose: 'api',
    auth: { intercept: (call, next) => next(call) },
    options: { operation: 'sync' },
  });
  return { fetch, close: () => transport.close() };
}
