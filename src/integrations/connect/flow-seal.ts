import { Injectable, Logger } from '@nestjs/common';
import { bindingOf, isSealOver, SecretBox, sealOver } from '../connections';

/** A row of one of both tables, by its columns. */
export type FlowRow = Readonly<Record<string, unknown>> & { readonly seal?: string | null };
export type FlowTable = 'connect_sessions' | 'oauth_states';

/** Whom a connect link or a flow at a provider is for, and all else of its row, sealed: changed in the database it connects nothing. */
@Injectable()
export class FlowSeal {
  private readonly logger = new Logger('connect');

  constructor(private readonly secrets: SecretBox) {}

  over(table: FlowTable, row: FlowRow): string {
    return sealOver(this.secrets, bindingTo(table, row));
  }

  /** Whether the row is as it was written. The cause is logged where it is not: to the browser it is a link that is no longer good. */
  fits(table: FlowTable, row: FlowRow): boolean {
    if (row.seal != null && this.isOver(row.seal, bindingTo(table, row))) return true;
    const msg =
      'A row of connecting does not fit its seal: it was changed by something else than this service, was written by a version before, or its key is no longer in ENCRYPTION_KEYS. It is refused.';
    this.logger.error({ msg, table });
    return false;
  }

  private isOver(seal: string, binding: string): boolean {
    try {
      return isSealOver(this.secrets, seal, binding);
    } catch {
      return false; // without the key: the person begins anew, and gets a seal of a key that is there
    }
  }
}

/** Every column but the seal, in an order of its own: the database gives the keys of jsonb in another than they were written. */
function bindingTo(table: FlowTable, { seal: _, ...row }: FlowRow): string {
  return bindingOf(table, JSON.stringify(row, inOrder));
}

/** What is null is as if it were not there, so that a column which a later version adds changes no seal. */
function inOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const there = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  return Object.fromEntries(there.sort(([a], [b]) => (a < b ? -1 : 1)));
}
