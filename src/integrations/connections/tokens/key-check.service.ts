import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { SETTINGS } from '../../../config/config.module';
import { SettingsError, type Settings } from '../../../config/env';
import { encryptedColumns } from './encrypted-columns';
import { bindingOf, SecretBox } from './secret-box';

const CHECK_TEXT = 'trestle key check';
const CHECK_BINDING = bindingOf('key-check');

/**
 * Refuses to start with keys that do not fit the database: a wrong key under a known id, or a missing one that rows still need.
 * For that each key's check value is stored: a known text encrypted with it.
 */
@Injectable()
export class KeyCheckService implements OnModuleInit {
  constructor(
    private readonly dataSource: DataSource,
    private readonly secrets: SecretBox,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

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
      await this.dataSource.query('INSERT INTO encryption_keys (key_id, check_value) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
        id,
        this.secrets.encryptWith(id, CHECK_TEXT, CHECK_BINDING),
      ]);
    }
    const stored: { key_id: string; check_value: string }[] = await this.dataSource.query(
      'SELECT key_id, check_value FROM encryption_keys WHERE key_id = ANY($1)',
      [this.secrets.keyIds],
    );
    return stored
      .filter(({ check_value }) => !this.opens(check_value))
      .map(
        ({ key_id }) =>
          `ENCRYPTION_KEYS: the key "${key_id}" is not the one this database was encrypted with; put the right key back under this id${this.advice()}`,
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
    const known: { key_id: string }[] = await this.dataSource.query(
      'SELECT key_id FROM encryption_keys WHERE NOT (key_id = ANY($1)) ORDER BY key_id',
      [this.secrets.keyIds],
    );
    const faults: string[] = [];
    for (const { key_id } of known) {
      for (const { table, needs } of encryptedColumns) {
        const [row]: unknown[] = await this.dataSource.query(`SELECT 1 FROM ${table} WHERE ${needs} LIMIT 1`, [key_id]);
        if (row === undefined) continue;
        faults.push(
          `ENCRYPTION_KEYS: the key "${key_id}" is missing, and rows of ${table} still need it; add it again after the primary, then run \`npm run keys -- rotate\`${this.advice()}`,
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
