import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { IntegrationError } from '../../../errors';
import { ConnectionRepository } from '../../connections';
import { HandlerRegistry } from '../processing/handler.registry';
import { EVENT_STATUSES } from '../webhook-event.entity';
import type { EventFilter } from './webhook-event.list';

const text = z.string().min(1).max(512);
const time = z.iso.datetime({ offset: true });

/** What lists of events, and those that act upon many, may be asked for. */
export const eventFields = {
  provider: text.optional(),
  type: text.optional(),
  status: z.enum(EVENT_STATUSES).optional(),
  eventId: text.optional(),
  connectionId: z.guid().optional(),
  receivedFrom: time.optional(),
  receivedTo: time.optional(),
  userId: text.optional(),
  account: text.optional(),
  error: text.optional(),
};

/** A group of failed events, as the list of them names it. */
export const eventGroup = z.strictObject({ provider: text, type: text, error: z.string().min(1).max(2_000) });

const MOST_GROUPS = 100;

/** Which events a replay is of. */
export const replayFilter = z
  .strictObject({
    ...eventFields,
    handler: text.optional().describe('The name of a handler: what it handles.'),
    groups: z.array(eventGroup).min(1).max(MOST_GROUPS).optional().describe('Any of these groups of failed events.'),
    all: z.literal(true).optional().describe('Whatever failed or was given up.'),
  })
  .refine((filter) => Object.keys(filter).length > 0, 'name at least one field, e.g. {"status": "dead"}');

export type AskedEvents = Omit<z.infer<typeof replayFilter>, 'all'> & { readonly all?: true | undefined };

/** Makes a filter of what was asked for. */
@Injectable()
export class EventFilters {
  constructor(
    private readonly connections: ConnectionRepository,
    private readonly handlers: HandlerRegistry,
  ) {}

  /** @throws IntegrationError `invalid_request` for a handler that nobody knows */
  async of({ userId, account, handler, groups, all: _, ...filter }: AskedEvents, tenant: string | undefined): Promise<EventFilter> {
    const kinds = handler === undefined ? undefined : this.handlers.kindsOf(handler);
    if (kinds?.length === 0) throw new IntegrationError('invalid_request', { detail: 'There is no such handler.' });
    return {
      ...filter,
      ...(handler !== undefined && { handler, kinds }),
      ...(groups && { groups: groups.map((group) => ({ ...group, typeIsExact: true })) }),
      connectionIds: await this.connections.idsOf(tenant, { userId, account }),
    };
  }
}
