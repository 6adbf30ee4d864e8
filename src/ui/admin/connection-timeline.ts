import { Injectable } from '@nestjs/common';
import { html, visibleTenant, type Html, type SessionPrincipal } from '../../http-api';
import {
  AuditLog,
  auditTargetsOf,
  OperationRegistry,
  RequestLogReader,
  SyncService,
  WebhookEventList,
  type AuditEntry,
  type Connection,
  type LoggedRequest,
  type StoredEventView,
  type SyncRun,
} from '../../integrations';
import { table } from '../table';
import { duration, timeTag } from '../time-tag';
import { EVENTS_PATH, REQUESTS_PATH, RUNS_PATH } from './admin-links';
import { statusPill } from './status-words';
import { TRIGGERS } from './sync-run-views';

/** What is read of each kind, and shown of all together. */
const MOST = 40;
const REFRESH = 'oauth.refresh';

/** Something that happened to a connection or with it. */
export interface TimelineEntry {
  readonly at: Date;
  readonly kind: 'Run' | 'Call' | 'Refresh' | 'Event' | 'Act';
  readonly what: Html;
  readonly outcome: Html;
}

/** What happened to a connection and with it: runs, calls, refreshes, events and acts of people, the newest of all together. */
@Injectable()
export class ConnectionTimeline {
  constructor(
    private readonly syncs: SyncService,
    private readonly requests: RequestLogReader,
    private readonly events: WebhookEventList,
    private readonly audit: AuditLog,
    private readonly operations: OperationRegistry,
  ) {}

  async of({ id, provider }: Pick<Connection, 'id' | 'provider'>, caller: SessionPrincipal): Promise<TimelineEntry[]> {
    const tenant = visibleTenant(caller);
    const targets = auditTargetsOf({ id, provider }, this.operations.all(provider));
    const [runs, requests, events, acts] = await Promise.all([
      this.syncs.list({ tenant, connectionId: id, limit: MOST }),
      this.requests.list({ tenant, connection: id, limit: MOST }),
      this.events.list({ tenant, connectionId: id }, MOST),
      this.audit.list({ tenant, targets, limit: MOST }),
    ]);
    const entries = [...runs.map(ofRun), ...requests.map(ofRequest), ...events.map(ofEvent), ...acts.map(ofAct)];
    return entries.sort((a, b) => b.at.getTime() - a.at.getTime()).slice(0, MOST);
  }
}

export function timelineTable(entries: readonly TimelineEntry[], nowMs: number): Html {
  const rows = entries.map(({ at, kind, what, outcome }) => [timeTag(at, nowMs), kind, html`<div class="wide">${what}</div>`, outcome]);
  return table('Timeline', ['At', 'Kind', 'What', 'Outcome'], rows, 'Nothing has happened yet.');
}

function ofRun(run: SyncRun): TimelineEntry {
  const what = html`<a href="${RUNS_PATH}/${run.id}">${run.type === 'full' ? 'Full' : 'Incremental'} sync, by ${TRIGGERS[run.trigger]}</a
    >${run.error && html`<br />${run.error.message}`}`;
  return { at: run.createdAt, kind: 'Run', what, outcome: statusPill(run.status) };
}

function ofRequest(request: LoggedRequest): TimelineEntry {
  const isRefresh = request.operation === REFRESH;
  const what = html`<a href="${REQUESTS_PATH}/${request.id}"><code>${request.method} ${request.endpoint}</code></a>
    ${duration(request.durationMs)}`;
  return { at: new Date(request.at), kind: isRefresh ? 'Refresh' : 'Call', what, outcome: statusPill(request.outcome) };
}

function ofEvent(event: StoredEventView): TimelineEntry {
  const what = html`<a href="${EVENTS_PATH}/${event.id}">${event.type}</a>${event.lastError && html`<br />${event.lastError}`}`;
  return { at: new Date(event.receivedAt), kind: 'Event', what, outcome: statusPill(event.status) };
}

function ofAct(entry: AuditEntry): TimelineEntry {
  const [who] = entry.target.split(' connection:');
  const subject = entry.target.includes(' connection:') ? html` <code>${who}</code>` : undefined;
  const what = html`<code>${entry.action}</code>${subject} by ${actorOf(entry)}`;
  return { at: entry.at, kind: 'Act', what, outcome: statusPill(entry.outcome) };
}

function actorOf({ actorTenant, actorUser, actorRole }: AuditEntry): string {
  return actorTenant === '' ? actorUser : `${actorUser} of ${actorTenant} (${actorRole})`;
}
