import type { Provider } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';

/** The name under which TypeORM's module keeps Trestle's database: that of an application around it has the default one for its own. */
export const DATABASE = 'trestle';

export const DATABASE_TOKEN = getDataSourceToken(DATABASE);

/**
 * Among the providers of every module whose classes ask for `DataSource`: a module's own come before what the application has, so they
 * are given Trestle's. Not to be exported: whoever imports the module keeps the application's.
 */
export const OWN_DATA_SOURCE: Provider = { provide: DataSource, useExisting: DATABASE_TOKEN };
