import type { Html } from '../../http-api';
import { banner } from '../layout';

/** What an admin page says after one of its own forms. */
const NOTICES = {
  acknowledged: 'The alert is acknowledged. It stays on the list until its cause is gone.',
  confirmed: 'The run goes on, and removes what is missing at the provider.',
  replayed: 'The event is processed again; its new state follows here.',
  'replayed-all': 'The events are processed again, the oldest first; their new states follow here.',
  'nothing-to-replay':
    'No event that could be replayed matches: what waits or runs is processed anyway, and a payload is kept for a time only.',
} as const;
export type AdminNotice = keyof typeof NOTICES;

export function adminNotice(notice: string | undefined): Html | undefined {
  return notice !== undefined && Object.hasOwn(NOTICES, notice) ? banner('good', NOTICES[notice as AdminNotice]) : undefined;
}
