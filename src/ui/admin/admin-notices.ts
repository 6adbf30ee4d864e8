import type { Html, News } from '../../http-api';
import { banner } from '../layout';

/** What an admin page says after one of its own forms: what was done, nothing of what becomes of it. */
const NOTICES = {
  acknowledged: 'The alert is acknowledged. It stays on the list until its cause is gone.',
  confirmed: 'The run goes on, and removes what is missing at the provider.',
  'sync-asked': 'A sync has been asked for.',
  'sync-joined': 'A sync was under way already.',
  disconnected: 'Disconnected. The access has ended at the provider as well.',
  'disconnected-here':
    'Disconnected, and what was held is deleted. At the provider the access goes on for the other connections of this account; where there is none, remove the app there to be certain.',
  'destination-paused': 'The destination is paused. What happens meanwhile waits for it.',
  'destination-resumed': 'The destination is resumed. What waited for it is sent now.',
  'destination-changed': 'The destination is changed.',
  'destination-removed': 'The destination is removed.',
  resent: 'It is sent again.',
  'resent-all': 'What was given up is sent again.',
  'nothing-to-resend': 'Nothing was given up that could be sent again.',
  tested: 'A test was sent. What came of it stands below.',
  replayed: 'The event is processed again.',
  'replayed-all': 'The events are processed again, the oldest first.',
  'replay-cancelled': 'The replay is cancelled: nothing more is put back. What is back already is processed.',
  'nothing-chosen': 'Nothing was chosen. Tick the groups that are to be replayed, or fill in what they have in common.',
  'nothing-to-replay':
    'No event that could be replayed matches: what waits or runs is processed anyway, and a payload is kept for a time only.',
} as const;
export type AdminNotice = keyof typeof NOTICES;

export function adminNews(notice: AdminNotice): News {
  return { kind: notice, about: {} };
}

export function adminNotice(news: News | undefined): Html | undefined {
  return news && Object.hasOwn(NOTICES, news.kind) ? banner('good', NOTICES[news.kind as AdminNotice]) : undefined;
}
