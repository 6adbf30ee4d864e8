import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Answer, CurrentUser, paged, pageOf, ZodQuery, type Paged, type Principal } from '../../http-api';
import { TenantProviders } from '../connections';
import type { EventResource, Provider } from '../contract';
import { resourceAnswer } from './sync-answers';

const query = z.strictObject({ provider: z.string().max(32).optional() });

type ResourceView = z.infer<typeof resourceAnswer>;

/** What is synced of the providers, and what is promised of the records. */
@ApiTags('sync')
@Controller('v1/resources')
export class ResourcesController {
  constructor(private readonly providers: TenantProviders) {}

  @Answer(pageOf(resourceAnswer))
  @Get()
  async list(@CurrentUser() { tenant }: Principal, @ZodQuery(query) { provider }: z.infer<typeof query>): Promise<Paged<ResourceView>> {
    const asked = provider === undefined ? await this.providers.seenBy(tenant) : [this.providers.get(provider)];
    return paged(asked.flatMap(viewsOf));
  }
}

function viewsOf({ key, sync }: Provider): ResourceView[] {
  const walked = (sync?.resources ?? []).map((resource) =>
    viewOf(key, resource, { scopes: [...(resource.scopes ?? [])], eventOnly: false }),
  );
  return [...walked, ...(sync?.eventOnly ?? []).map((resource) => viewOf(key, resource, { scopes: [], eventOnly: true }))];
}

function viewOf(provider: string, { name, label, shape }: EventResource, more: Pick<ResourceView, 'scopes' | 'eventOnly'>): ResourceView {
  return { provider, name, label, ...more, schema: shape ? schemaOf(shape) : null };
}

const made = new WeakMap<z.ZodType, NonNullable<ResourceView['schema']>>();

function schemaOf(shape: z.ZodType): NonNullable<ResourceView['schema']> {
  // As it goes in: what a shape does not name is there all the same.
  const schema = made.get(shape) ?? z.toJSONSchema(shape, { io: 'input', unrepresentable: 'any' });
  made.set(shape, schema);
  return schema;
}
