import { Controller, Get, Headers, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
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
import { AuditExport, auditView, NDJSON } from './audit-export';
import { AuditLog, type AuditFilter } from './audit-log';

const text = z.string().min(1).max(512).optional();
const query = z.strictObject({
  limit,
  cursor,
  actor: text,
  tenant: text,
  action: z.enum(AUDIT_ACTIONS).optional(),
  target: text,
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
});

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

/** Who did what: newest first; with `Accept: application/x-ndjson` all of it, a line each. */
@ApiTags('admin')
@Roles('admin')
@Controller('v1/admin/audit')
export class AdminAuditController {
  constructor(
    private readonly audit: AuditLog,
    private readonly exporting: AuditExport,
  ) {}

  @Answer(pageOf(entryAnswer), { description: 'With `Accept: application/x-ndjson` all of it, a line each' })
  @Get()
  async list(
    @CurrentUser() caller: Principal,
    @ZodQuery(query) { limit: rows, cursor: after, from, to, tenant: ofTenant, ...given }: z.infer<typeof query>,
    @Headers('accept') accept: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const filter: Omit<AuditFilter, 'limit'> = {
      ...given,
      tenant: visibleTenant(caller),
      ofTenant,
      ...(from !== undefined && { from: new Date(from) }),
      ...(to !== undefined && { to: new Date(to) }),
      before: positionOf(after, byId)?.id,
    };
    if (accept?.includes(NDJSON)) return void (await reply.type(NDJSON).send(this.exporting.lines(filter)));
    const found = await this.audit.list({ ...filter, limit: rows + 1 });
    await reply.send(pageFrom(found.map(auditView), rows, ({ id }) => ({ id })));
  }
}
