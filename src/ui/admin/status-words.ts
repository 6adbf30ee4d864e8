import type { Html } from '../../http-api';
import { pill, type Tone } from '../layout';

/** Each state as people read it, and how grave it is. */
const WORDS: Readonly<Record<string, readonly [Tone, string]>> = {
  // providers
  healthy: ['good', 'Healthy'],
  limited: ['warn', 'Asks to slow down'],
  degraded: ['warn', 'Degraded'],
  down: ['bad', 'Down'],
  unknown: ['soft', 'No traffic'],
  // circuits
  closed: ['good', 'Closed'],
  half_open: ['warn', 'Trying again'],
  // connections
  connected: ['good', 'Connected'],
  needs_reauth: ['bad', 'Reconnect needed'],
  disconnected: ['soft', 'Disconnected'],
  // runs and events
  queued: ['soft', 'Queued'],
  running: ['soft', 'Running'],
  succeeded: ['good', 'Succeeded'],
  failed: ['bad', 'Failed'],
  cancelled: ['soft', 'Cancelled'],
  paused: ['warn', 'Waits for you'],
  received: ['soft', 'Received'],
  processing: ['soft', 'Processing'],
  completed: ['good', 'Completed'],
  dead: ['bad', 'Dead'],
  // alerts
  acknowledged: ['warn', 'Acknowledged'],
  resolved: ['good', 'Resolved'],
  // deliveries and destinations
  pending: ['soft', 'Waiting'],
  sending: ['soft', 'Sending'],
  delivered: ['good', 'Delivered'],
  active: ['good', 'Active'],
  // requests
  ok: ['good', 'OK'],
};

export function statusPill(status: string): Html {
  const [tone, text] = (Object.hasOwn(WORDS, status) ? WORDS[status] : undefined) ?? ['warn', status.replaceAll('_', ' ')];
  return pill(tone, text);
}
