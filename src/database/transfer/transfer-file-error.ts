/** Why a file could not be read into a database: a sentence for a person. */
export class TransferFileError extends Error {
  override readonly name = 'TransferFileError';
}
