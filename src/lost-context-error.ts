/** A statement for nobody: neither in a request nor by `asService`. It is not run, as it would be held to no organization. */
export class LostContextError extends Error {
  override readonly name = 'LostContextError';

  constructor() {
    super(
      'A statement was asked for outside of every request and of asService(...), so nobody knows for whom; it was not run. Either a callback lost the asynchronous context of its caller, or work that the service does by itself does not say so.',
    );
  }
}
