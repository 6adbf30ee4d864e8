import type { DataSource } from 'typeorm';
import { systemClock, type Clock } from '../../src/clock';
import { ConnectionSeals } from '../../src/integrations/connections/seals/connection-seals';
import { SecretBox } from '../../src/integrations/connections/tokens/secret-box';

const KEY = Buffer.from('a key for the seals of one test.');

/** Seals of a process with these secrets. */
export function sealsOn(
  dataSource: DataSource,
  secrets = new SecretBox([{ id: 'k1', key: KEY }]),
  clock: Clock = systemClock,
): ConnectionSeals {
  return new ConnectionSeals(dataSource, secrets, clock);
}

/** Seals connections that were written beside the service, as connecting would have. @param keys as in ENCRYPTION_KEYS */
export async function sealConnections(dataSource: DataSource, keys: string): Promise<void> {
  const [id = '', key = ''] = (keys.split(',')[0] ?? '').split(':');
  await sealsOn(dataSource, new SecretBox([{ id, key: Buffer.from(key, 'base64') }])).sealUnsealed();
}
