export { FigureCollector, type FigureOf } from './figure-collector';
export { type Figures, FigureReader, NO_FIGURES, sumOf } from './figure-reader';
export { FiguresModule } from './figures.module';
export { percentile } from './histogram';
