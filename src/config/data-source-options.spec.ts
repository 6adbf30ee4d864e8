import { EntitySchema } from 'typeorm';
import { createTestDatabase } from '../../test/support/test-database';
import { dataSourceOptions } from './data-source-options';

const note = new EntitySchema<{ id: number; text: string | null }>({
  name: 'note',
  columns: { id: { type: 'int', primary: true }, text: { type: 'text', nullable: true } },
});

describe('the options of the DataSource', () => {
  it('throws for undefined and null in a where, in reads and in deletes', async () => {
    const database = await createTestDatabase({ entities: [note] });
    const notes = database.dataSource.getRepository(note);
    await database.dataSource.query('CREATE TABLE note (id int PRIMARY KEY, text text)');
    await notes.insert({ id: 1, text: 'kept' });

    await expect(notes.find({ where: { id: undefined } })).rejects.toThrow(/undefined/i);
    await expect(notes.findBy({ text: null as never })).rejects.toThrow(/null/i);
    await expect(notes.delete({ id: undefined })).rejects.toThrow(/undefined/i);
    expect(await notes.count()).toBe(1);
    await database.close();
  });

  it('bounds every wait on a server', () => {
    expect(dataSourceOptions({ databaseUrl: 'postgres://example/db', databasePoolMax: 7 })).toMatchObject({
      url: 'postgres://example/db',
      synchronize: false,
      extra: {
        max: 7,
        connectionTimeoutMillis: 5_000,
        query_timeout: 45_000,
        keepAlive: true,
        application_name: 'trestle',
      },
    });
  });

  it('asks for a database', () => {
    expect(() => dataSourceOptions({})).toThrow('Neither databaseUrl nor an embedded database');
  });
});
