import { InitialSchema1764000000000 } from './1764000000000-initial-schema';
import { PaymentNotes1764000000001 } from './1764000000001-payment-notes';
import { OutgoingWebhooks1764100000000 } from './1764100000000-outgoing-webhooks';
import { RecordKeys1764200000000 } from './1764200000000-record-keys';
import { GuardsBefore1764300000000 } from './1764300000000-guards-before';

/** In the order in which they are applied. A migration that was released is never edited: add another. */
export const MIGRATIONS = [
  InitialSchema1764000000000,
  PaymentNotes1764000000001,
  OutgoingWebhooks1764100000000,
  RecordKeys1764200000000,
  GuardsBefore1764300000000,
];
