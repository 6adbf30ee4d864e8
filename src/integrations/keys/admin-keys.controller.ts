import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Answer, moment, paged, pageOf, Roles } from '../../http-api';
import { KEY_ROWS_COUNTED, KeyRotationService, type KeyUse } from './key-rotation.service';

const keyAnswer = z.object({
  keyId: z.string(),
  primary: z.boolean().describe('What is stored now is encrypted with it.'),
  present: z.boolean().describe('Whether ENCRYPTION_KEYS has it.'),
  since: moment.nullable().describe('When it was first in use here.'),
  rows: z.record(z.string(), z.number().int()).describe('Rows that need it, by table; counted is up to 10,000 of each.'),
  atLeast: z.array(z.string()).describe('Tables that may have more of them.'),
}) satisfies z.ZodType<KeyUse>;

/** The keys that encrypt what is stored, by their ids alone. They belong to no organization. */
@ApiTags('admin')
@Roles('operator')
@Controller('v1/admin/keys')
export class AdminKeysController {
  constructor(private readonly rotation: KeyRotationService) {}

  /** Which key is needed by how many rows. */
  @Answer(pageOf(keyAnswer))
  @Get()
  async list() {
    return paged(await this.rotation.status(KEY_ROWS_COUNTED));
  }
}
