import { randomUUID } from 'node:crypto';
import { signedDelivery } from '../../../src/integrations/webhooks/testing';
import type { World } from './world';

/** What to POST to `/webhooks/slack`: a true event of a workspace that nobody connected, sent by the runner itself to see headers and times. */
export function signedEvent(world: World): { headers: Record<string, string>; body: Uint8Array<ArrayBuffer> } {
  const secret = world.sandbox.env().SLACK_SIGNING_SECRET ?? '';
  const event = {
    type: 'event_callback',
    team_id: 'T_NOBODY',
    api_app_id: 'A1',
    event_id: `Ev${randomUUID()}`,
    event_time: Math.floor(Date.now() / 1_000),
    event: { type: 'team_rename', name: 'x' },
  };
  const { headers, body } = signedDelivery({ as: 'slack', secret, body: event });
  return { headers: { ...headers }, body: new Uint8Array(body) };
}
