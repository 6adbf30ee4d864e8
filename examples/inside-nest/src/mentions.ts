import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Column, Entity, PrimaryColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import {
  DATABASE,
  defineOperation,
  GovernedHttp,
  IntegrationsModule,
  lockTenantRows,
  OnWebhook,
  OperationRegistry,
  PersonalData,
  ProviderRegistry,
  unlockTenantRows,
  type HandlerContext,
  type WebhookEvent,
  type WebhookHandler,
} from 'trestle';
import { z } from 'zod';

/** What the shop keeps in Trestle's database, so that it is stored with the event that it came of: once, whatever happens. */
@Entity('shop_mentions')
export class Mention {
  /** Of the event. */
  @PrimaryColumn('uuid') id!: string;
  @Column('text') tenant!: string;
  @Column('uuid') connectionId!: string;
  @Column('text') text!: string;
}

export class ShopMentions1764890000000 implements MigrationInterface {
  name = 'ShopMentions1764890000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'CREATE TABLE shop_mentions (id uuid PRIMARY KEY, tenant text NOT NULL, connection_id uuid NOT NULL, text text NOT NULL)',
    );
    await lockTenantRows(runner, 'shop_mentions', { of: { column: 'tenant' }, readable: true });
  }

  async down(runner: QueryRunner): Promise<void> {
    await unlockTenantRows(runner, 'shop_mentions');
    await runner.query('DROP TABLE shop_mentions');
  }
}

interface Message {
  readonly event: { readonly text?: string };
}

/** Called for each message that a connected workspace sends; the row and the event's completion are one transaction. */
@OnWebhook('slack', 'message')
export class MentionsHandler implements WebhookHandler<Message> {
  async handle({ id, payload }: WebhookEvent<Message>, { connection, manager }: HandlerContext): Promise<void> {
    if (!connection) return;
    const row = { id, tenant: connection.tenant, connectionId: connection.id, text: payload.event.text ?? '' };
    await manager.createQueryBuilder().insert().into(Mention).values(row).orIgnore().execute();
  }
}

/** An operation of the shop's own on a provider that Trestle knows: `POST /v1/connections/:id/operations/team.show`. */
const showTeam = (http: GovernedHttp, registry: ProviderRegistry) =>
  defineOperation({
    name: 'team.show',
    provider: 'slack',
    title: 'Show the workspace',
    description: 'Says which workspace is connected.',
    input: z.strictObject({}),
    output: z.object({ id: z.string(), name: z.string() }),
    effect: 'read',
    scopes: [],
    repeat: 'none',
    run: async ({ connection }) => {
      const answer = await http.fetchFor(connection)(new URL('auth.test', registry.get('slack').apiBaseUrl), { method: 'POST' });
      const { team_id: id, team: name } = (await answer.json()) as { team_id: string; team: string };
      return { id, name };
    },
  });

@Module({ imports: [IntegrationsModule, TypeOrmModule.forFeature([Mention], DATABASE)], providers: [MentionsHandler] })
export class MentionsModule {
  constructor(data: PersonalData, operations: OperationRegistry, http: GovernedHttp, registry: ProviderRegistry) {
    data.register([{ table: 'shop_mentions', connection: 'connection_id', tenant: 'tenant' }]);
    operations.register([showTeam(http, registry)]);
  }
}
