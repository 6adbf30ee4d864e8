/** The job is somebody else's by now. Why its signal was aborted, or thrown by a `run` that finds it out itself. */
export class LeaseLostError extends Error {
  override readonly name: string = 'LeaseLostError';
}
