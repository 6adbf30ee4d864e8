import type { LedgerEntry } from '../../../sandbox';
import { SINK_TABLE } from './sink-table';
import type { World } from './world';

/** What the sandbox's ledger and the effect sink say, as sets of event ids. */
export interface Judgement {
  readonly sent: ReadonlySet<string>;
  readonly acknowledged: ReadonlySet<string>;
  readonly applied: ReadonlySet<string>;
  /** Acknowledged, and not applied. */
  readonly lost: readonly string[];
  /** Applied more than once. */
  readonly twice: readonly string[];
  /** Applied, and never sent. */
  readonly strange: readonly string[];
  /** Answers by status; `none` where there was none. */
  readonly answers: Readonly<Record<string, number>>;
  /** When the last effect was written, ms since the epoch. */
  readonly lastEffectAt: number;
  /** 0 lost, 0 twice, 0 strange, and something was acknowledged. */
  readonly ok: boolean;
  readonly text: string;
}

/**
 * Compares what was sent and acknowledged (the sandbox's ledger) with what took effect (the sink's rows). On the embedded
 * database the service is ended first, with SIGKILL, and its folder read.
 */
export async function judge(world: World): Promise<Judgement> {
  if (world.stage === 'embedded') for (const member of world.cluster.members) await member.kill();
  const rows = await world.cluster.query<{ event_id: string; n: number; last: Date }>(
    `SELECT event_id, count(*)::int AS n, max(at) AS last FROM ${SINK_TABLE} WHERE kind = 'effect' GROUP BY event_id`,
  );
  const deliveries = deliveriesOf(world);
  const sent = idsOf(deliveries);
  const acknowledged = idsOf(deliveries.filter(isAcknowledged));
  const applied = new Set(rows.map(({ event_id }) => event_id));
  const lost = [...acknowledged].filter((id) => !applied.has(id));
  const twice = rows.filter(({ n }) => n > 1).map(({ event_id }) => event_id);
  const strange = [...applied].filter((id) => !sent.has(id));
  const answers: Record<string, number> = {};
  for (const { status } of deliveries) answers[status ?? 'none'] = (answers[status ?? 'none'] ?? 0) + 1;
  const counts = Object.entries(answers).map(([status, n]) => `${n} x ${status}`);
  return {
    sent,
    acknowledged,
    applied,
    lost,
    twice,
    strange,
    answers,
    lastEffectAt: Math.max(0, ...rows.map(({ last }) => last.getTime())),
    ok: acknowledged.size > 0 && lost.length === 0 && twice.length === 0 && strange.length === 0,
    text: `${sent.size} sent, ${acknowledged.size} acknowledged (${counts.join(', ')}), ${applied.size} applied, ${lost.length} lost, ${twice.length} twice`,
  };
}

export function deliveriesOf(world: World): LedgerEntry[] {
  return world.sandbox.control.ledger({ kind: 'delivery', provider: 'stripe' }).filter(({ forged }) => forged === undefined);
}

export function isAcknowledged({ status }: LedgerEntry): boolean {
  return status !== null && status >= 200 && status < 300;
}

export function idsOf(entries: readonly LedgerEntry[]): Set<string> {
  return new Set(entries.map(({ eventId }) => eventId ?? ''));
}
