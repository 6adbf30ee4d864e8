import type { Call } from '../call';
import { MemoryLimitStore } from './limits/memory-limit-store';
import { RateLimitInterceptor } from './rate-limit.interceptor';
import { VirtualClock } from '../testing/virtual-clock';

function limiter(headers: Record<string, string>) {
  const clock = new VirtualClock();
  const step = new RateLimitInterceptor(new MemoryLimitStore(clock), clock);
  const startedAt = clock.now();
  const sentAt: number[] = [];
  const call = {
    provider: { key: 'p', http: { endpoints: [], limits: {}, defaultLimits: [] } },
    request: { method: 'GET', url: new URL('https://p.example/a'), headers: new Headers() },
    endpoint: { template: '/a' },
    signal: new AbortController().signal,
    deadlineAt: Number.POSITIVE_INFINITY,
  } as unknown as Call;
  const send = () =>
    step.intercept(call, async () => {
      sentAt.push(clock.now() - startedAt);
      return new Response('{}', { headers: sentAt.length === 1 ? headers : {} });
    });
  return { clock, send, sentAt, startedAt };
}

it.each([
  ['seconds to go', { 'ratelimit-remaining': '0', 'ratelimit-reset': '7' }],
  ['a date in seconds', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(Date.UTC(2026, 0, 1) / 1000 + 7) }],
])('asks nothing more where the provider says that its allowance is used up, until its time: %s', async (_, headers) => {
  const { clock, send, sentAt } = limiter(headers);
  await send();
  void send();
  await clock.advance(10_000);
  expect(sentAt).toEqual([0, 7_000]);
});

it.each([
  ['some is left', { 'ratelimit-remaining': '3', 'ratelimit-reset': '7' }],
  ['it says no time', { 'x-ratelimit-remaining': '0' }],
  ['the time makes no sense', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': 'soon' }],
])('goes on where %s', async (_, headers) => {
  const { clock, send, sentAt } = limiter(headers as unknown as Record<string, string>);
  await send();
  void send();
  await clock.advance(0);
  expect(sentAt).toEqual([0, 0]);
});
