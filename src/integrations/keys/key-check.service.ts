import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource, In, Not, type Repository } from 'typeorm';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { asService } from '../../database';
import { SettingsError } from '../../config/settings-error';
import { ConnectionSeals, SecretBox } from '../connections';
import { ENCRYPTED_TABLES } from './encrypted-tables';
import { EncryptionKeyEntity } from './encryption-key.entity';
import { CHECK_BINDING, checkText, unsealedUntil } from './check-text';

/**
 * Refuses to start with keys that do not fit the database: a wrong key under a known id, or a missing one that rows still need.
 * For that each key's check value is stored: a known text encrypted with it. It also tells until when connections without a seal are taken.
 */
@Injectable()
export class KeyCheckService implements OnModuleInit {
  private readonly keys: Repository<EncryptionKeyEntity>;

  constructor(
    private readonly dataSource: DataSource,
    private readonly secrets: SecretBox,
    @Inject(SETTINGS) private readonly settings: Settings,
    private readonly seals: ConnectionSeals,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.keys = dataSource.getRepository(EncryptionKeyEntity);
  }

  async onModuleInit(): Promise<void> {
    await asService(() => this.check());
  }

  /** @throws SettingsError with one sentence for each key at fault */
  async check(): Promise<void> {
    this.refuse([...(await this.wrongKeys()), ...(await this.missingKeys())]);
    await this.readSealing();
  }

  /** Like `check`, for the keys that are there. */
  async checkPresent(): Promise<void> {
    this.refuse(await this.wrongKeys());
  }

  /** Every row has its seal: from `until` (ms) on one without opens nothing, whatever is changed in the database. */
  async endSealing(until: number): Promise<void> {
    for (const { keyId, checkValue } of await this.present())
      if (unsealedUntil(this.textOf(checkValue)) === Infinity)
        await this.keys.update({ keyId, checkValue }, { checkValue: this.secrets.encryptWith(keyId, checkText(until), CHECK_BINDING) });
    await this.readSealing();
  }

  private async readSealing(): Promise<void> {
    const stored = await this.present();
    this.seals.acceptUnsealedUntil(Math.max(0, ...stored.map(({ checkValue }) => unsealedUntil(this.textOf(checkValue)) ?? 0)));
  }

  private present(): Promise<EncryptionKeyEntity[]> {
    return this.keys.findBy({ keyId: In(this.secrets.keyIds) });
  }

  private refuse(faults: readonly string[]): void {
    if (faults.length > 0) throw new SettingsError(faults);
  }

  private async wrongKeys(): Promise<string[]> {
    for (const id of this.secrets.keyIds) {
      // Two processes that start at once: the first one's value stands, both are compared with it.
      const checkValue = this.secrets.encryptWith(id, checkText(this.clock.now()), CHECK_BINDING);
      await this.keys.createQueryBuilder().insert().values({ keyId: id, checkValue }).orIgnore().execute();
    }
    const stored = await this.present();
    return stored
      .filter(({ checkValue }) => unsealedUntil(this.textOf(checkValue)) === undefined)
      .map(
        ({ keyId }) =>
          `ENCRYPTION_KEYS: the key "${keyId}" is not the one this database was encrypted with; put the right key back under this id${this.advice()}`,
      );
  }

  private textOf(checkValue: string): string {
    try {
      return this.secrets.decrypt(checkValue, CHECK_BINDING);
    } catch {
      return '';
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
