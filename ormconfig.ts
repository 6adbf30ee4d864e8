import 'reflect-metadata';
import { readEnvironment } from './src/config/env';
import { ManagedDataSource } from './src/database/managed-data-source';

/** For the TypeORM command line: `npx tsc -p . --outDir dist/typeorm && npx typeorm -d dist/typeorm/ormconfig.js migration:show`. The service itself migrates at its start. */
const dataSource = ManagedDataSource.open(readEnvironment([]));
export { dataSource };
