import { onTrial, verdict } from '../support/way-out-trial';
import { productUser, tally } from '../support/product-user';
import type { Fault } from './lib/fault';

/** Of a call that names none (docs/architecture.md); the proxy and live lists are such calls. */
const DEADLINE_MS = 30_000;
const GRACE_MS = 500;

export const fault: Fault = {
  id: 'F13',
  promise: 'a provider that sends a byte a second, in its headers or its body, holds a call until its deadline and half a second at most',
  stages: ['server'],
  run: (stage, services) =>
    onTrial(stage, services, {}, async ({ sandbox, cluster }) => {
      const user = await productUser(cluster);
      const google = await user.connect('google');
      const slack = await user.connect('slack');
      await sandbox.fault({ kind: 'slow-headers', provider: 'google', endpoint: 'events.list' });
      await sandbox.fault({ kind: 'slow-body', provider: 'google', endpoint: 'gmail.messages.list' });
      await sandbox.fault({ kind: 'slow-body', provider: 'slack', endpoint: 'conversations.list' });
      const since = await sandbox.lastSeq();
      const calls: Record<string, string> = {
        'headers, live list': `/v1/connections/${google}/google/calendars/primary/events`,
        'headers, proxy': `/v1/connections/${google}/proxy/calendar/v3/calendars/primary/events`,
        'body, live list': `/v1/connections/${slack}/slack/channels`,
        'body, proxy': `/v1/connections/${google}/proxy/gmail/v1/users/me/messages`,
      };
      const answers = await Promise.all(
        Object.entries(calls).map(async ([name, path], member) => {
          const startedAt = performance.now();
          // A body that is handed through ends in the middle.
          const answer = await user.call(path, { member }).catch(() => undefined);
          return { name, answer, durationMs: performance.now() - startedAt };
        }),
      );
      const slowest = Math.max(...answers.map(({ durationMs }) => durationMs));
      const pending = (await sandbox.requests({ since })).filter(({ outcome }) => outcome === 'pending');
      return verdict(
        {
          'in time': answers.every(({ durationMs }) => durationMs <= DEADLINE_MS + GRACE_MS),
          'told as a timeout': answers.every(
            ({ answer }) => answer === undefined || (answer.body as { code?: string }).code === 'provider_timeout' || answer.status === 200,
          ),
          'no call left open at the provider': pending.length === 0,
        },
        `${answers.length} calls, the slowest ${(slowest / 1000).toFixed(2)} s; ${tally(answers.flatMap(({ answer }) => answer ?? []))}; ${pending.length} left open`,
      );
    }),
};
