import type { StopSignal } from '../../clock';

/** Tells a call to stop. Every call needs one and few are ever stopped: the platform's `AbortSignal` costs as much as several steps. */
export class CallSignal implements StopSignal {
  private listeners?: Set<() => void>;
  private stopped?: { readonly reason: Error };

  get aborted(): boolean {
    return this.stopped !== undefined;
  }

  get reason(): Error | undefined {
    return this.stopped?.reason;
  }

  addEventListener(_: 'abort', listener: () => void): void {
    (this.listeners ??= new Set()).add(listener);
  }

  removeEventListener(_: 'abort', listener: () => void): void {
    this.listeners?.delete(listener);
  }

  /** Once; each listener is called once. */
  abort(reason: Error): void {
    if (this.stopped) return;
    this.stopped = { reason };
    const { listeners } = this;
    this.listeners = undefined;
    for (const listener of listeners ?? []) listener();
  }
}
