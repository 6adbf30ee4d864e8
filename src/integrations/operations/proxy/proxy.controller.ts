import { All, Controller, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { type Principal, CurrentUser, type EdgeRequest, IdParam } from '../../../http-api';
import { replyThrough } from './proxied-reply';
import { ProxyService } from './proxy.service';

/** Calls of the product to a provider's API that has no route of its own here; answers are handed through. */
@ApiExcludeController()
@Controller('v1/connections/:id/proxy')
export class ProxyController {
  constructor(private readonly proxy: ProxyService) {}

  @All('*')
  call(@CurrentUser() caller: Principal, @IdParam() id: string, @Req() request: EdgeRequest, @Res() reply: FastifyReply): Promise<void> {
    return replyThrough(request, reply, (call) => this.proxy.call(caller, id, call));
  }
}
