export { exportDatabase, type TransferredSums } from './export-database';
export { importDatabase, type BeforeRows } from './import-database';
export { TransferFileError } from './transfer-file-error';
