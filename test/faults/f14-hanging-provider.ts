import { median, percentile } from '../../bench/lib/benchmark';
import { onTrial, sleep, verdict } from '../support/way-out-trial';
import { productUser } from '../support/product-user';
import type { Fault } from './lib/fault';

/** Requests in flight to one provider from one process. */
const MOST_IN_FLIGHT = 64;
const PROCESSES = 3;
const ROUNDS = 3;
const CALLS = 300;
const METHODS = [
  'auth.test',
  'users.info',
  'team.info',
  'conversations.info',
  'conversations.history',
  'conversations.replies',
  'conversations.members',
  'conversations.list',
  'users.list',
];
const TEAMS = 3;
/** The sockets of the processes, and those of the user's browser, which connected each team beside the others and keeps them open. */
const SHARE = MOST_IN_FLIGHT * PROCESSES + TEAMS;

export const fault: Fault = {
  id: 'F14',
  promise: 'a provider that accepts and hangs costs the others nothing, and no more sockets than its share',
  stages: ['server'],
  boundS: 600,
  run: (stage, services) =>
    onTrial(stage, services, { processes: PROCESSES }, async ({ sandbox, cluster }) => {
      const user = await productUser(cluster);
      const teams = await Promise.all(Array.from({ length: TEAMS }, (_, index) => user.connect('slack', { account: `T_HANG${index}` })));
      const google = await Promise.all(
        Array.from({ length: 4 }, (_, index) => user.connect('google', { account: `person${index}@acme.test` })),
      );
      /** p95 of calls to a provider in good health. */
      const measure = async () => {
        const times: number[] = [];
        let next = 0;
        const caller = async () => {
          for (let call = next++; call < CALLS; call = next++) {
            const { status, durationMs } = await user.call(
              `/v1/connections/${google[call % google.length]}/proxy/gmail/v1/users/me/profile`,
              { member: call },
            );
            if (status !== 200) throw new Error(`A call to the healthy provider was answered ${status}.`);
            times.push(durationMs);
          }
        };
        await Promise.all(Array.from({ length: 4 }, caller));
        return percentile(times, 0.95);
      };
      await measure();
      const ratios: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const before = await measure();
        await sandbox.fault({ kind: 'hang', provider: 'slack' });
        const hanging = Promise.all(
          Array.from({ length: 400 }, (_, call) =>
            user
              .call(`/v1/connections/${teams[call % TEAMS]}/proxy/${METHODS[call % METHODS.length]}`, { method: 'POST', member: call })
              .catch(() => undefined),
          ),
        );
        await sleep(1_500);
        ratios.push((await measure()) / before);
        const { slack } = await sandbox.get<{ slack: { open: number; peak: number } }>('/connections');
        if (slack.open === 0) throw new Error('Nothing hung.');
        await sandbox.clearFaults();
        await hanging;
      }
      const { slack } = await sandbox.get<{ slack: { open: number; peak: number } }>('/connections');
      const ratio = median(ratios);
      return verdict(
        { 'p95 of others': ratio <= 1.5, 'sockets bounded': slack.peak <= SHARE },
        `p95 of others ${ratio.toFixed(2)}x (${ratios.map((each) => each.toFixed(2)).join(', ')}); ${slack.peak} sockets at most to the hanging one (${MOST_IN_FLIGHT} per process, ${TEAMS} of the browser)`,
      );
    }),
};
