import { Body, Controller, Get, Module, Post, Req } from '@nestjs/common';
import { z } from 'zod';
import {
  CurrentUser,
  HiddenPage,
  IdParam,
  limit,
  Public,
  Roles,
  ZodBody,
  ZodQuery,
  type Principal,
  type EdgeRequest,
  type SessionPrincipal,
} from '../../src/http-api';

const thing = z.strictObject({
  name: z.string(),
  count: z.number().int().optional(),
  nested: z.strictObject({ a: z.string() }).optional(),
});

@Controller('v1/things')
class ThingsController {
  @Get()
  list(@CurrentUser() caller: Principal, @ZodQuery(z.object({ limit })) query: { limit: number }) {
    return { caller, limit: query.limit };
  }
  @Post()
  create(@ZodBody(thing) body: z.infer<typeof thing>) {
    return body;
  }
  @Roles('admin')
  @Get('admin')
  admin() {
    return { ok: true };
  }
  @Get('broken')
  broken(): never {
    throw new Error('the password is hunter2');
  }
  @Get(':id')
  one(@IdParam() id: string) {
    return { id };
  }
}

@Public()
@Controller('webhooks/probe')
class RawController {
  @Post()
  receive(@Body() body: unknown, @Req() incoming: EdgeRequest) {
    return { buffer: Buffer.isBuffer(body), same: incoming.rawBody === body, text: String(body) };
  }
}

@Controller('probe-page')
class PageController {
  @HiddenPage()
  @Get()
  show(@CurrentUser() caller: SessionPrincipal) {
    return caller;
  }
  @HiddenPage()
  @Post()
  change(@Body() body: unknown) {
    return { body };
  }
}

/** Routes of every kind, to see what the edge does before them. */
@Module({ controllers: [ThingsController, RawController, PageController] })
export class ProbeModule {}
