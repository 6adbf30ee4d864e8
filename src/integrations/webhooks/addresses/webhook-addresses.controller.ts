import { Controller, Delete, Get, HttpCode, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Answer, CurrentUser, IdParam, moment, ZodBody, type Principal } from '../../../http-api';
import { assertMayManage, ConnectionRepository, type Connection } from '../../connections';
import { WebhookAddressesService } from './webhook-addresses.service';

const body = z.strictObject({
  secret: z
    .string()
    .regex(/^[\x21-\x7e]{8,500}$/)
    .optional()
    .describe(
      'What the provider signs with there, where it chooses that itself. Kept encrypted and never shown again. Default: one is made.',
    ),
});
const answer = z.object({ setAt: moment });
const newAnswer = answer.extend({
  url: z.string().describe('Where the provider is to deliver for this connection. Shown once.'),
  secret: z.string().optional().describe('What it is to sign with, where none was given. Shown once.'),
});

/** An address to which a provider delivers for one connection alone, for those that sign with a secret of each account. */
@ApiTags('webhooks')
@Controller('v1/connections/:id/webhook-address')
export class WebhookAddressesController {
  constructor(
    private readonly connections: ConnectionRepository,
    private readonly addresses: WebhookAddressesService,
  ) {}

  /** When it was set; the address itself is not told again. */
  @Answer(answer)
  @Get()
  async get(@CurrentUser() caller: Principal, @IdParam() id: string) {
    return { setAt: (await this.addresses.find(await this.managed(caller, id))).toISOString() };
  }

  /** A new address with a new secret; the one before takes nothing any more. */
  @Answer(newAnswer)
  @Put()
  async set(@CurrentUser() caller: Principal, @IdParam() id: string, @ZodBody(body) { secret }: z.infer<typeof body>) {
    const { setAt, ...shown } = await this.addresses.set(await this.managed(caller, id), secret);
    return { ...shown, setAt: setAt.toISOString() };
  }

  @Answer(null, { status: 204 })
  @Delete()
  @HttpCode(204)
  async end(@CurrentUser() caller: Principal, @IdParam() id: string): Promise<void> {
    await this.addresses.end(await this.managed(caller, id));
  }

  private async managed(caller: Principal, id: string): Promise<Connection> {
    const connection = await this.connections.findFor(caller, id);
    assertMayManage(caller, connection);
    return connection;
  }
}
