import { Module } from '@nestjs/common';
import { OWN_DATA_SOURCE } from '../../database';
import { FigureCollector } from './figure-collector';
import { FigureReader } from './figure-reader';

/** Figures in buckets of time: counted where things happen, read by who watches. */
@Module({ providers: [OWN_DATA_SOURCE, FigureCollector, FigureReader], exports: [FigureCollector, FigureReader] })
export class FiguresModule {}
