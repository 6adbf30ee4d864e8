import { All, Controller, Param, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { type Principal, CurrentUser, type EdgeRequest, Roles } from '../../../http-api';
import { AppProxyService } from './app-proxy.service';
import { replyThrough } from './proxied-reply';

/** Calls of an administrator to a provider's API as the app itself; answers are handed through. */
@ApiExcludeController()
@Roles('admin')
@Controller('v1/admin/providers/:provider/app/proxy')
export class AppProxyController {
  constructor(private readonly proxy: AppProxyService) {}

  @All('*')
  call(
    @CurrentUser() caller: Principal,
    @Param('provider') provider: string,
    @Req() request: EdgeRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return replyThrough(request, reply, (call) => this.proxy.call(caller, provider, call));
  }
}
