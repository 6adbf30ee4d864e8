import { Injectable } from '@nestjs/common';
import { EventSums, ReplayRuns, WebhookEventList } from '../../integrations';
import { PAGE_ROWS } from '../admin/list-query';

/** What the pages of webhook events are made of. */
@Injectable()
export class EventStates {
  constructor(
    private readonly events: WebhookEventList,
    private readonly sums: EventSums,
    private readonly runs: ReplayRuns,
  ) {}

  newest(tenant: string | undefined): Promise<unknown> {
    return this.events.list({ tenant }, PAGE_ROWS);
  }

  async one(id: string, tenant: string | undefined): Promise<unknown> {
    const { status, attempts, failures, nextAttemptAt } = await this.events.find(id, tenant);
    return { status, attempts, failures, nextAttemptAt };
  }

  replays(tenant: string | undefined): Promise<unknown> {
    return this.runs.list(tenant, PAGE_ROWS);
  }

  replay(id: string, tenant: string | undefined): Promise<unknown> {
    return this.runs.find(id, tenant);
  }

  failing(tenant: string | undefined): Promise<unknown> {
    return this.sums.failedGroups(tenant, PAGE_ROWS);
  }
}
