import { Controller, Delete, Get, HttpCode, Post, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import {
  Answer,
  byId,
  CurrentUser,
  cursor,
  IdParam,
  limit,
  pageFrom,
  pageOf,
  positionOf,
  Roles,
  SupportMayRead,
  visibleTenant,
  ZodBody,
  ZodQuery,
  type Principal,
} from '../../../http-api';
import { mappingAnswer, previewAnswer } from '../sync-answers';
import { MappingService, type MappingPlace } from './mapping.service';
import type { RecordMappingEntity } from './record-mapping.entity';

const name = z.string().min(1).max(100);
const place = {
  provider: name,
  resource: name,
  connectionId: z.guid().optional().describe('Of this connection only. Default: of all connections of the organization.'),
  expression: z
    .string()
    .min(1)
    .max(20_000)
    .describe('JSONata over the provider\'s object, e.g. `{ "name": name, "mail": $lowercase(email) }`.'),
};
const setBody = z.strictObject(place);
const previewBody = z.strictObject({ ...place, limit: z.number().int().min(1).max(50).default(10) });
const listQuery = z.strictObject({
  limit,
  cursor,
  provider: name.optional(),
  resource: name.optional(),
  connection: z.guid().optional(),
  ended: z.enum(['true', 'false']).default('false').describe('`true`: earlier versions as well.'),
});

/** What an organization makes of the records that its connections bring: readers of the feed get it in place of the provider's object. */
@ApiTags('admin')
@Roles('admin')
@Controller('v1/admin/mappings')
export class AdminMappingsController {
  constructor(private readonly mappings: MappingService) {}

  @Answer(pageOf(mappingAnswer))
  @SupportMayRead()
  @Get()
  async list(@CurrentUser() caller: Principal, @ZodQuery(listQuery) query: z.infer<typeof listQuery>) {
    const found = await this.mappings.list({
      tenant: visibleTenant(caller),
      provider: query.provider,
      resource: query.resource,
      connectionId: query.connection,
      ended: query.ended === 'true',
      before: positionOf(query.cursor, byId)?.id,
      limit: query.limit + 1,
    });
    return pageFrom(found.map(viewOf), query.limit, ({ id }) => ({ id }));
  }

  /** Takes the place of what was set there. Readers of the feed get all living records again, as this makes them; the provider is not asked. */
  @Answer(mappingAnswer)
  @Put()
  async set(@CurrentUser() caller: Principal, @ZodBody(setBody) { expression, ...where }: z.infer<typeof setBody>) {
    return viewOf(await this.mappings.set(caller, where satisfies MappingPlace, expression));
  }

  /** From now on, and again for what was read already, the provider's object is given, or what the organization's mapping makes of it. */
  @Answer(null, { status: 204 })
  @Delete(':id')
  @HttpCode(204)
  end(@CurrentUser() caller: Principal, @IdParam('id', 'not_found') id: string): Promise<void> {
    return this.mappings.end(id, visibleTenant(caller));
  }

  /** What an expression would make of the newest records. Nothing is stored. */
  @Answer(previewAnswer)
  @Post('preview')
  @HttpCode(200)
  async preview(
    @CurrentUser() caller: Principal,
    @ZodBody(previewBody) { expression, limit: most, ...where }: z.infer<typeof previewBody>,
  ) {
    return { data: await this.mappings.preview(caller, where satisfies MappingPlace, expression, most) };
  }
}

function viewOf({ id, provider, resource, connectionId, version, expression, createdBy, createdAt, endedAt, toldAt }: RecordMappingEntity) {
  const iso = (at: Date | null) => at?.toISOString() ?? null;
  return {
    id,
    provider,
    resource,
    connectionId,
    version,
    expression,
    createdBy,
    createdAt: createdAt.toISOString(),
    endedAt: iso(endedAt),
    toldAt: iso(toldAt),
  };
}
