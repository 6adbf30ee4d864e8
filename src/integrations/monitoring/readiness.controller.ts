import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../../http-api';
import { ReadinessService } from './readiness.service';

/** For load balancers: 200 while requests can be served, 503 when not. */
@ApiTags('operations')
@Controller('health')
export class ReadinessController {
  constructor(private readonly readiness: ReadinessService) {}

  @Public()
  @Get('ready')
  @ApiOperation({ summary: 'Whether requests can be served, and how each dependency is' })
  @ApiOkResponse({ description: '`{status, dependencies: {<name>: {status: ok|degraded|down, detail?}}}`' })
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const state = await this.readiness.check();
    await reply.status(state.status === 'down' ? 503 : 200).send(state);
  }
}
