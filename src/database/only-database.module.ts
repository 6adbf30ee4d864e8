import { Global, Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { OWN_DATA_SOURCE } from './own-database';

/** For an application that has no other database: whoever asks for `DataSource` is given Trestle's. Global: the product's modules ask for it as well. */
@Global()
@Module({ providers: [OWN_DATA_SOURCE], exports: [DataSource] })
export class OnlyDatabaseModule {}
