import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource, In, Not, type Repository } from 'typeorm';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { SettingsError } from '../../config/settings-error';
import { bindingOf, SecretBox } from '../connections';
import { ENCRYPTED_TABLES } from './encrypted-tables';
import { EncryptionKeyEntity } from './encryption-key.entity';

const CHECK_TEXT = 'trestle key check';
const CHECK_BINDING = bindingOf('key-check');

/**
 * Refuses to start with keys that do not fit the database: a wrong key under a known id, or a missing one that rows still need.
 * For that each key's check value is stored: a known text encrypted with it.
 */
@Injectable()
export class KeyCheckService implements OnModuleInit {
  private readonly keys: Repository<EncryptionKeyEntity>;

  constructor(
    private readonly dataSource: DataSource,
    private readonly secrets: SecretBox,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {
    this.keys = dataSource.getRepository(EncryptionKeyEntity);
  }

  async onModuleInit(): Promise<void> {
    await this.check();
  }

  /** @throws SettingsError with one sentence for each key at fault */
  async check(): Promise<void> {
    this.refuse([...(await this.wrongKeys()), ...(await this.missingKeys())]);
  }

  /** Like `check`, for the keys that are there. */
  async checkPresent(): Promise<void> {
    this.refuse(await this.wrongKeys());
  }

  private refuse(faults: readonly string[]): void {
    if (faults.length > 0) throw new SettingsError(faults);
  }

  private async wrongKeys(): Promise<string[]> {
    for (const id of this.secrets.keyIds) {
      // Two processes that start at once: the first one's value stands, both are compared with it.
      const checkValue = this.secrets.encryptWith(id, CHECK_TEXT, CHECK_BINDING);
      await this.keys.createQueryBuilder().insert().values({ keyId: id, checkValue }).orIgnore().execute();
    }
    const stored = await this.keys.findBy({ keyId: In(this.secrets.keyIds) });
    return stored
      .filter(({ checkValue }) => !this.opens(checkValue))
      .map(
        ({ keyId }) =>
          `ENCRYPTION_KEYS: the key "${keyId}" is not the one this database was encrypted with; put the right key back under this id${this.advice()}`,
      );
  }

  private opens(checkValue: string): boolean {
    try {
      return this.secrets.decrypt(checkValue, CHECK_BINDING) === CHECK_TEXT;
    } catch {
      return false;
    }
  }

  private async missingKeys(): Promise<string[]> {
    const others = await this.keys.find({ where: { keyId: Not(In(this.secrets.keyIds)) }, order: { keyId: 'ASC' } });
    const faults: string[] = [];
    for (const { keyId } of others) {
      for (const { table, needs } of ENCRYPTED_TABLES) {
        const [row]: unknown[] = await this.dataSource.query(`SELECT 1 FROM ${table} WHERE ${needs} LIMIT 1`, [keyId]);
        if (row === undefined) continue;
        faults.push(
          `ENCRYPTION_KEYS: the key "${keyId}" is missing, and rows of ${table} still need it; add it again after the primary, then run \`npm run keys -- rotate\`${this.advice()}`,
        );
        break;
      }
    }
    return faults;
  }

  /** Outside production the keys were probably never set, but generated. */
  private advice(): string {
    return this.settings.production ? '' : ' (where none was set, it lies in DATA_DIR under secrets/encryption-keys)';
  }
}
