import { productUser } from '../support/product-user';
import type { Fault } from './lib/fault';
import { AlertReceiver } from './lib/alert-receiver';
import { seconds, sleep, until } from './lib/waiting';
import { startWorld } from './lib/world';

const OFF_MS = 10 * 60_000;
/** One process ahead, one behind, one right. */
const OFFSETS = [OFF_MS, -OFF_MS, 0];
const TOLD_WITHIN_MS = 60_000;
/** So long deliveries go on coming after the alert: several looks of every process. */
const GOES_ON_MS = 60_000;
const LOST = `UPDATE connections SET status = 'needs_reauth', error_code = 'needs_reauth' WHERE account_id LIKE 'acct_fault49%'`;

export const fault: Fault = {
  id: 'F31',
  promise:
    'the clocks of two processes 10 min off, one ahead and one behind: deliveries refused for it are an alert within a minute, and no alert opens and closes by turns',
  stages: ['server'],
  boundS: 300,
  async run(stage, services) {
    const receiver = await AlertReceiver.start();
    const { env } = receiver;
    const world = await startWorld({ stage, services, env, envOf: (index) => ({ FAULT_CLOCK_OFFSET_MS: String(OFFSETS[index]) }) });
    const { cluster, sandbox } = world;
    // An alert that lasts, looked at by all three.
    await cluster.query(LOST);
    let over = false;
    const began = performance.now();
    const sending = (async () => {
      while (!over) {
        await world.send(20, { retries: 0 });
        await sleep(500);
      }
    })();
    const skew = () => receiver.atWebhook().filter(({ kind }) => kind === 'clock_skew');
    const toldMs = await until(() => skew().length > 0, TOLD_WITHIN_MS + 30_000);
    const atMs = performance.now() - began;
    await sleep(GOES_ON_MS);
    const news = receiver.atWebhook();
    over = true;
    await sending;
    const answers = sandbox.control.ledger({ kind: 'delivery', provider: 'stripe' });
    const taken = answers.filter(({ status }) => status === 200).length;
    const refused = answers.filter(({ status }) => status === 401).length;
    const others = answers.length - taken - refused;
    const admin = await productUser(cluster, { user: 'root', role: 'operator' });
    // The third process has the right time: the others refuse a token's times as well.
    const { data } = (await admin.call('/v1/admin/alerts?state=open', { member: 2 })).body as {
      data: { kind: string; count: number; openedAt: string }[];
    };
    const alert = data.find(({ kind }) => kind === 'clock_skew');
    const agesMs = data.map(({ openedAt }) => Math.abs(Date.now() - Date.parse(openedAt)));
    const opened = news.filter(({ type }) => type === 'alert.opened');
    const resolved = news.filter(({ type }) => type === 'alert.resolved');
    const once =
      new Set(opened.map(({ id }) => id)).size === opened.length && new Set(opened.map(({ kind }) => kind)).size === opened.length;
    return {
      ok:
        toldMs !== undefined &&
        atMs <= TOLD_WITHIN_MS &&
        alert !== undefined &&
        refused > taken &&
        others === 0 &&
        once &&
        opened.some(({ kind }) => kind === 'connection_lost') &&
        resolved.length === 0 &&
        agesMs.every((ms) => ms < OFF_MS / 2),
      seen:
        `${taken} deliveries taken, ${refused} refused with 401, ${others} other answers; told of it ${seconds(atMs)} after the first; ` +
        `${opened.length} alerts opened (${opened.map(({ kind }) => kind).join(', ')}), ${resolved.length} closed in ${seconds(GOES_ON_MS)} more; the oldest was opened ${seconds(Math.max(0, ...agesMs))} ago by the right clock`,
    };
  },
};
