/** The job was not tried after all: thrown by a `run`, the engine then calls `release`, and the attempt does not count. */
export class GivenBackError extends Error {
  override readonly name = 'GivenBackError';
}
