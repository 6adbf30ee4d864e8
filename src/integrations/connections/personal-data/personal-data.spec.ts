import { createTestDatabase } from '../../../../test/support/test-database';
import { asService, firstIdOf, makePartitionsAhead } from '../../../database';
import { PersonalData } from './personal-data';

it('destroys of a table in partitions what was meant, and not what lies in the same place of another partition', async () => {
  const { dataSource, close } = await createTestDatabase();
  const weekMs = 7 * 86_400_000;
  const times = [Date.now() - weekMs, Date.now(), Date.now() + weekMs];
  for (const time of times) await makePartitionsAhead(dataSource, 30, time);
  for (const time of times)
    await dataSource.query(
      `INSERT INTO request_log (id, at, provider, tenant, method, endpoint, outcome, attempt, duration_ms) VALUES ($1, now(), 'p', $2, 'GET', 'x', 'ok', 1, 5)`,
      [firstIdOf(time), time === times[1] ? 'globex' : 'acme'],
    );
  const places = await dataSource.query<{ place: string }[]>('SELECT DISTINCT ctid::text AS place FROM request_log');
  expect(places).toHaveLength(1);
  const data = new PersonalData(dataSource);
  data.register([{ table: 'request_log', tenant: 'tenant' }]);
  await asService(() => data.erase({ tenant: 'globex' }));
  const left = await dataSource.query<{ tenant: string }[]>('SELECT tenant FROM request_log');
  await close();
  expect(left.map(({ tenant }) => tenant)).toEqual(['acme', 'acme']);
});
