import { Controller, Get, Headers, Inject, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { SETTINGS } from '../config/config.module';
import type { Settings } from '../config/env';
import { IntegrationError } from '../errors';
import { metricsRegistry } from '../metrics';
import { Public } from './access.decorators';
import { roleReaches } from './caller';
import { TokenVerifier } from './token-verifier';

/** For whoever runs the service. */
@ApiTags('operations')
@Controller()
export class OperationsController {
  constructor(
    @Inject(SETTINGS) private readonly settings: Settings,
    private readonly verifier: TokenVerifier,
  ) {}

  /** Whether the process answers at all; it asks nothing else, so that a slow database does not get it restarted. */
  @Public()
  @Get('health/live')
  @ApiOperation({ summary: 'The process answers' })
  @ApiOkResponse({ description: '`{"status":"ok"}`' })
  live() {
    return { status: 'ok' };
  }

  @Public()
  @Get('metrics')
  @ApiOperation({ summary: 'Metrics for Prometheus: an operator, or anybody with METRICS_PUBLIC=true' })
  @ApiOkResponse({ description: 'The text format of Prometheus' })
  async metrics(@Headers('authorization') authorization: string | undefined, @Res() reply: FastifyReply): Promise<void> {
    if (!this.settings.metricsPublic) {
      const caller = await this.verifier.callerOf(authorization);
      if (!roleReaches(caller.role, 'operator')) throw new IntegrationError('forbidden');
    }
    await reply.type(metricsRegistry.contentType).send(await metricsRegistry.metrics());
  }
}
