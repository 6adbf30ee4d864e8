import { Controller, Get, Headers, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { z } from 'zod';
import {
  Answer,
  moment,
  pageOf,
  CurrentUser,
  cursor,
  limit,
  Roles,
  visibleTenant,
  ZodQuery,
  type Principal,
  byId,
  pageFrom,
  positionOf,
} from '../../http-api';
import { AUDIT_ACTIONS } from './audit-action';
import type { AuditEntryEntity } from './audit-entry.entity';
import { AuditLog, type AuditFilter } from './audit-log';

const text = z.string().min(1).max(512).optional();
const query = z.strictObject({
  limit,
  cursor,
  actor: text,
  action: z.enum(AUDIT_ACTIONS).optional(),
  target: text,
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
});
const NDJSON = 'application/x-ndjson';
const PAGE = 1_000;

const entryAnswer = z.object({
  id: z.string(),
  at: moment,
  tenant: z.string(),
  actor: z.object({ tenant: z.string(), userId: z.string(), role: z.string(), agent: z.string().optional() }),
  action: z.string(),
  target: z.string(),
  outcome: z.string(),
  requestId: z.string().nullable(),
  ip: z.string().nullable(),
});

/** As an administrator reads it. */
export interface AuditEntryView {
  readonly id: string;
  readonly at: Date;
  readonly tenant: string;
  readonly actor: { readonly tenant: string; readonly userId: string; readonly role: string; readonly agent?: string };
  readonly action: string;
  readonly target: string;
  readonly outcome: string;
  readonly requestId: string | null;
  readonly ip: string | null;
}

/** Who did what: newest first; with `Accept: application/x-ndjson` all of it, a line each. */
@ApiTags('admin')
@Roles('admin')
@Controller('v1/admin/audit')
export class AdminAuditController {
  constructor(private readonly audit: AuditLog) {}

  @Answer(pageOf(entryAnswer), { description: 'With `Accept: application/x-ndjson` all of it, a line each' })
  @Get()
  async list(
    @CurrentUser() caller: Principal,
    @ZodQuery(query) { limit: rows, cursor: after, from, to, ...given }: z.infer<typeof query>,
    @Headers('accept') accept: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const filter: Omit<AuditFilter, 'limit'> = {
      ...given,
      tenant: visibleTenant(caller),
      ...(from !== undefined && { from: new Date(from) }),
      ...(to !== undefined && { to: new Date(to) }),
      before: positionOf(after, byId)?.id,
    };
    if (accept?.includes(NDJSON)) return void (await reply.type(NDJSON).send(Readable.from(this.lines(filter))));
    const found = await this.audit.list({ ...filter, limit: rows + 1 });
    await reply.send(pageFrom(found.map(viewOf), rows, ({ id }) => ({ id })));
  }

  private async *lines(filter: Omit<AuditFilter, 'limit'>): AsyncGenerator<string> {
    for (let before = filter.before; ;) {
      const page = await this.audit.list({ ...filter, before, limit: PAGE });
      if (page.length > 0) yield page.map((entry) => `${JSON.stringify(viewOf(entry))}\n`).join('');
      before = page.at(-1)?.id;
      if (page.length < PAGE) return;
    }
  }
}

function viewOf(entry: AuditEntryEntity): AuditEntryView {
  const { id, at, tenant, action, target, outcome, requestId, ip } = entry;
  const actor = {
    tenant: entry.actorTenant,
    userId: entry.actorUser,
    role: entry.actorRole,
    ...(entry.actorAgent !== null && { agent: entry.actorAgent }),
  };
  return { id, at, tenant, actor, action, target, outcome, requestId, ip };
}
