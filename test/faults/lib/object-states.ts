import { Injectable } from '@nestjs/common';
import { OnWebhook, type HandlerContext, type WebhookEvent, type WebhookHandler } from '../../../src/integrations';
import { SeededRandom } from '../../../sandbox/random';

export const STATES_TABLE = 'fault_states';
export const CREATE_STATES = `CREATE TABLE ${STATES_TABLE} (account text, object_key text, state text, deleted boolean NOT NULL, event_id text NOT NULL, PRIMARY KEY (account, object_key))`;

interface Change {
  readonly id: string;
  readonly type: string;
  readonly object: string;
  readonly version: number;
  readonly state: string;
}

/** Keeps the state of objects as events tell it: right only when no event is applied after a newer one. */
@Injectable()
@OnWebhook('testp', 'thing.*')
export class StateKeeper implements WebhookHandler<Change> {
  async handle({ payload, type, eventId }: WebhookEvent<Change>, { connection, manager }: HandlerContext): Promise<void> {
    await manager.query(
      `INSERT INTO ${STATES_TABLE} (account, object_key, state, deleted, event_id) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (account, object_key) DO UPDATE SET state = excluded.state, deleted = excluded.deleted, event_id = excluded.event_id`,
      [connection?.accountId, payload.object, payload.state, type === 'thing.deleted', eventId],
    );
  }
}

/** The lives of a few objects that follow from a seed, in their true order. Some versions are equal, as those of one second are. */
export function historyOf(seed: number): Change[] {
  const random = new SeededRandom(seed);
  const history: Change[] = [];
  for (let object = 0; object < 2; object++) {
    let version = 1_000 + random.below(5);
    const changes = 2 + random.below(4);
    const ends = random.next() < 0.5;
    for (let n = 0; n < changes; n++) {
      const type = n === 0 ? 'thing.created' : ends && n === changes - 1 ? 'thing.deleted' : 'thing.updated';
      // Of one version the greater id is the later: ids grow, so this is the true order.
      const id = `evt-${seed}-${object}-${n}`;
      history.push({ id, type, object: `thing/${seed}-${object}`, version, state: `${seed}.${object}.${n}.${random.below(1_000)}` });
      if (random.next() > 0.2) version += 1 + random.below(3);
    }
  }
  return history;
}

/** The same events in a disorder that follows from the seed, some of them two or three times. */
export function disorderOf(history: readonly Change[], seed: number): Change[] {
  const random = new SeededRandom(`disorder ${seed}`);
  return random.shuffle(
    history.flatMap((change) => Array.from({ length: 1 + (random.below(3) === 0 ? 1 + random.below(2) : 0) }, () => change)),
  );
}
