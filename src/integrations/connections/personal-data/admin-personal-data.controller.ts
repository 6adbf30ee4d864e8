import { Controller, Delete, Get, HttpCode, Param, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { Answer, CurrentUser, Roles, ZodPipe, ZodQuery, type Principal } from '../../../http-api';
import { Erasure } from './erasure';

const name = z.string().min(1).max(255);
/** An operator, who belongs to no organization of its users, says which it means. */
const where = z.strictObject({ tenant: name.optional() });
const NDJSON = 'application/x-ndjson';
const erasedAnswer = z.object({ connections: z.number().int(), revoked: z.number().int() });
const exportAnswer = { type: NDJSON, description: 'All that is held, a line each' };

/** What is held of a person or of an organization: given out, or destroyed. */
@ApiTags('admin')
@Controller('v1/admin')
export class AdminPersonalDataController {
  constructor(private readonly erasure: Erasure) {}

  @Roles('admin')
  @Answer(erasedAnswer)
  @Delete('users/:sub')
  @HttpCode(200)
  eraseUser(
    @CurrentUser() caller: Principal,
    @Param('sub', new ZodPipe(name)) userId: string,
    @ZodQuery(where) query: z.infer<typeof where>,
  ): Promise<{ connections: number; revoked: number }> {
    return this.erasure.erase({ tenant: tenantOf(caller, query), userId });
  }

  @Roles('admin')
  @Answer(z.string(), exportAnswer)
  @Get('users/:sub/export')
  async exportUser(
    @CurrentUser() caller: Principal,
    @Param('sub', new ZodPipe(name)) userId: string,
    @ZodQuery(where) query: z.infer<typeof where>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await reply.type(NDJSON).send(Readable.from(this.erasure.export({ tenant: tenantOf(caller, query), userId })));
  }

  @Roles('operator')
  @Answer(erasedAnswer)
  @Delete('tenants/:tenant')
  @HttpCode(200)
  eraseTenant(@Param('tenant', new ZodPipe(name)) tenant: string): Promise<{ connections: number; revoked: number }> {
    return this.erasure.erase({ tenant });
  }

  @Roles('operator')
  @Answer(z.string(), exportAnswer)
  @Get('tenants/:tenant/export')
  async exportTenant(@Param('tenant', new ZodPipe(name)) tenant: string, @Res() reply: FastifyReply): Promise<void> {
    await reply.type(NDJSON).send(Readable.from(this.erasure.export({ tenant })));
  }
}

/** An administrator's is its own, whatever it asks for. */
function tenantOf(caller: Principal, { tenant }: z.infer<typeof where>): string {
  return caller.role === 'operator' ? (tenant ?? caller.tenant) : caller.tenant;
}
