import { DefaultNamingStrategy, getMetadataArgsStorage, type DataSourceOptions } from 'typeorm';

/**
 * Every class with `@Entity` that this process has loaded: whoever works with one has imported it. For a DataSource outside Nest;
 * inside, each module names its own with `TypeOrmModule.forFeature`.
 */
export function loadedEntities(): NonNullable<DataSourceOptions['entities']> {
  return getMetadataArgsStorage().tables.map(({ target }) => target);
}

/** Columns are named as their property, in lower case with underscores: `userId` is `user_id`. */
export class SnakeCaseColumns extends DefaultNamingStrategy {
  override columnName(propertyName: string, customName: string | undefined, embeddedPrefixes: string[]): string {
    return customName ?? snakeCase([...embeddedPrefixes, propertyName].join('_'));
  }
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

type SnakeCase<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${SnakeCase<Rest>}`
  : Name;

/** A row of the entity's table as a statement by hand gives it: of `userId` it has `user_id`. A test holds the entity against the schema. */
export type RowOf<Entity> = { [Property in keyof Entity & string as SnakeCase<Property>]: Entity[Property] };
