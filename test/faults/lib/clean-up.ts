type CleanUp = () => Promise<void> | void;

const pending: CleanUp[] = [];

/** What is started in a row is ended after it, whether the row ended well, failed or was cut off. Last started, first ended. */
export function atEnd(work: CleanUp): void {
  pending.push(work);
}

export async function cleanUp(): Promise<void> {
  for (let work = pending.pop(); work; work = pending.pop()) {
    try {
      await work();
    } catch (error) {
      process.stderr.write(`not everything could be ended: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
}
