import type { Read } from './admin-reads';
import type { Stage } from './size-stage';

const DUE = 100;
const newest = (table: string, where: string) => `id IN (SELECT id FROM ${table} WHERE ${where} ORDER BY id DESC LIMIT ${DUE})`;

/** Makes some due before each claim: the newest that were over. */
const MADE_DUE: Readonly<Record<string, string>> = {
  'claim of webhooks': `UPDATE webhook_events SET status = 'received', attempts = 0, next_attempt_at = now() WHERE ${newest('webhook_events', `status = 'completed'`)}`,
  'claim of deliveries': `UPDATE deliveries SET status = 'pending', delivered_at = NULL, next_attempt_at = now(), give_up_at = now() + interval '1 day'
    WHERE id IN (SELECT id FROM deliveries WHERE status = 'delivered' ORDER BY created_at DESC LIMIT ${DUE})`,
  'claim of sync': `UPDATE sync_runs SET status = 'queued', started_at = NULL, finished_at = NULL
    WHERE id = (SELECT id FROM sync_runs r WHERE status = 'succeeded' AND NOT EXISTS (
      SELECT FROM sync_runs o WHERE o.connection_id = r.connection_id AND o.status IN ('queued', 'running', 'paused')) ORDER BY id DESC LIMIT 1)`,
};

/** Each rule of the alerts, each claim, and each tick. A claim finds something, or nobody has measured it. */
export async function workReads(stage: Stage): Promise<Read[]> {
  return (await stage.works()).map((name) => {
    const due = MADE_DUE[name];
    return {
      group: `${name.split(' ')[0]}s`,
      name,
      before: async () => due && (await stage.cluster.query(due)),
      once: async () => {
        const { count } = await stage.work(name);
        if (due && count === 0) throw new Error(`${name} found nothing`);
      },
    };
  });
}
