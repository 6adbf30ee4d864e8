import { PaymentNotes1764000000001 } from './1764000000001-payment-notes';
import { PaymentNotesRows1764550000001 } from './1764550000001-payment-notes-rows';
import { PaymentNotesChanges1764670000001 } from './1764670000001-payment-notes-changes';

/** The product's own, applied after those of the core. One that has landed is never edited: add another. */
export const PRODUCT_MIGRATIONS = [PaymentNotes1764000000001, PaymentNotesRows1764550000001, PaymentNotesChanges1764670000001];
