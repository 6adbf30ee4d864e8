import { randomUUID } from 'node:crypto';
import { productUser, type ApiAnswer } from '../support/product-user';
import { onTrial, verdict } from '../support/way-out-trial';
import type { Fault, Stage } from './lib/fault';
import { remoteReader } from './lib/remote-sets';
import { sleep, until } from './lib/waiting';

const TEAM = 'T_ACTION';
const ACCOUNT = 'acct_action';
const CALLERS = 50;
/** So long the provider works on a call: time to be killed in. */
const TAKES_MS = 1_500;
const SETTLES_WITHIN_MS = 120_000;

/** Where the processes are killed. */
const MOMENTS = ['not at all', 'before it is asked', 'while it works', 'when it has done it'] as const;
type Moment = (typeof MOMENTS)[number];

/** A way to the same action. `count` of them are at the provider under a name. */
interface Door {
  readonly name: string;
  readonly endpoint: string;
  readonly call: (key: string, name: string, member: number) => Promise<ApiAnswer>;
  readonly count: (name: string) => Promise<number>;
}

export const fault: Fault = {
  id: 'F35',
  promise:
    'the same action by its route, as an operation and through the proxy, asked for by 50 callers with one key while all processes are killed: once at the provider, or outcome_unknown and not twice',
  stages: ['server', 'embedded'],
  boundS: 1_200,
  run: (stage: Stage, services) =>
    onTrial(stage, services, { workers: true, env: { PROXY: 'any' } }, async ({ sandbox, cluster }) => {
      const user = await productUser(cluster);
      const slack = await user.connect('slack', { account: TEAM });
      const stripe = await user.connect('stripe', { account: ACCOUNT });
      const state = async <T>(provider: string, account: string): Promise<T> => {
        const { [provider]: accounts } = await sandbox.get<Record<string, Record<string, T>>>('/state');
        return (accounts as Record<string, T>)[account] as T;
      };
      const messages = async (text: string) =>
        (await state<{ messages: { text: string }[] }>('slack', TEAM)).messages.filter((one) => one.text === text).length;
      const remote = await remoteReader(sandbox, 'stripe', ACCOUNT);
      const customers = async (name: string) => [...(await remote.customers()).values()].filter((text) => text.includes(name)).length;
      const channels = (await user.call(`/v1/connections/${slack}/slack/channels`)).body as {
        data: { id: string; isMember?: boolean; isArchived?: boolean }[];
      };
      const channel = channels.data.find(({ isMember, isArchived }) => isMember !== false && isArchived !== true)?.id;
      const headers = (key: string) => ({ 'idempotency-key': key });
      const doors: Door[] = [
        {
          name: 'route',
          endpoint: 'chat.postMessage',
          call: (key, text, member) =>
            user.call(`/v1/connections/${slack}/slack/messages`, { body: { channel, text }, headers: headers(key), member }),
          count: messages,
        },
        {
          name: 'operation',
          endpoint: 'chat.postMessage',
          call: (key, text, member) =>
            user.call(`/v1/connections/${slack}/operations/messages.send`, { body: { channel, text }, headers: headers(key), member }),
          count: messages,
        },
        {
          name: 'proxy',
          endpoint: 'customers.create',
          call: (key, name, member) =>
            user.call(`/v1/connections/${stripe}/proxy/v1/customers`, { form: { name }, headers: headers(key), member }),
          count: customers,
        },
      ];
      const seen: string[] = [];
      const checks: Record<string, boolean> = {};
      for (const door of doors) {
        const told: string[] = [];
        for (const moment of MOMENTS) {
          const [key, name] = [randomUUID(), `Action ${randomUUID()}`];
          await sandbox.fault({ kind: 'latency', endpoint: door.endpoint, latencyMs: TAKES_MS });
          const since = await sandbox.lastSeq();
          const asked = Array.from({ length: CALLERS }, (_, member) => door.call(key, name, member).catch(() => undefined));
          await killAt(moment, async () => (await sandbox.requests({ endpoint: door.endpoint, since })).map(({ outcome }) => outcome));
          const first = await Promise.all(asked);
          await sandbox.clearFaults();
          // With the same key until the outcome is known, or known to be unknown.
          let last: ApiAnswer | undefined;
          await until(
            async () => {
              last = await door.call(key, name, 0).catch(() => undefined);
              return last !== undefined && (last.status < 300 || codeOf(last) === 'outcome_unknown');
            },
            SETTLES_WITHIN_MS,
            1_000,
          );
          const count = await door.count(name);
          const good = (answer: ApiAnswer | undefined) => answer !== undefined && answer.status < 300;
          const unknown = codeOf(last) === 'outcome_unknown';
          const once = good(last) ? count === 1 : unknown && count <= 1;
          checks[`${door.name}, killed ${moment}`] = once && (moment !== 'not at all' || first.some(good));
          told.push(`${moment}: ${count} (${unknown ? 'outcome_unknown' : (last?.status ?? 'no answer')})`);
        }
        seen.push(`${door.name}: ${told.join(', ')}`);
      }
      return verdict(checks, `at the provider for ${CALLERS} callers with one key each, killed ${seen.join('; ')}`);

      async function killAt(moment: Moment, outcomes: () => Promise<readonly string[]>): Promise<void> {
        if (moment === 'not at all') return;
        if (moment === 'before it is asked') await sleep(20);
        if (moment === 'while it works') await until(async () => (await outcomes()).includes('pending'), 30_000, 10);
        if (moment === 'when it has done it') await until(async () => (await outcomes()).includes('answered'), 30_000, 5);
        await Promise.all(cluster.members.map((member) => member.kill()));
        await Promise.all(cluster.members.map((member) => member.start()));
      }
    }),
};

function codeOf(answer: ApiAnswer | undefined): string | undefined {
  return (answer?.body as { code?: string } | undefined)?.code;
}
