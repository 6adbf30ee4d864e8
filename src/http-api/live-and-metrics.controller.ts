import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { metricsRegistry } from '../metrics';
import { MetricsAccess, Public } from './principal/access.decorators';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';

/** For whoever runs the service. */
@ApiTags('operations')
@Controller()
export class LiveAndMetricsController {
  /** Whether the process answers at all; it asks nothing else, so that a slow database does not get it restarted. */
  @Public()
  @Get('health/live')
  @ApiOperation({ summary: 'The process answers' })
  @ApiOkResponse({ description: '`{"status":"ok"}`' })
  live() {
    return { status: 'ok' };
  }

  @MetricsAccess()
  @Get('metrics')
  @ApiOperation({ summary: 'Metrics for Prometheus: an operator, or anybody with METRICS_PUBLIC=true' })
  @ApiOkResponse({ description: 'The text format of Prometheus' })
  async metrics(@Res() reply: FastifyReply): Promise<void> {
    await reply.type(metricsRegistry.contentType).send(await metricsRegistry.metrics());
  }
}
