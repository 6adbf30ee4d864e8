import { getMetadataArgsStorage, type DataSourceOptions } from 'typeorm';

/**
 * Every class with `@Entity` that this process has loaded: whoever works with one has imported it. For a DataSource outside Nest;
 * inside, each module names its own with `TypeOrmModule.forFeature`.
 */
export function loadedEntities(): NonNullable<DataSourceOptions['entities']> {
  return getMetadataArgsStorage().tables.map(({ target }) => target);
}

type SnakeCase<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${SnakeCase<Rest>}`
  : Name;

/** A row of the entity's table as a statement by hand gives it: of `userId` it has `user_id`. A test holds the entity against the schema. */
export type RowOf<Entity> = { [Property in keyof Entity & string as SnakeCase<Property>]: Entity[Property] };
