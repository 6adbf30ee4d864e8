import { EmbedError, pageFault, type EmbedErrorCode } from './embed-error.ts';

/** What the last page of a connect posts; see `/connect/done`. */
interface Told {
  readonly type: 'trestle:connect';
  readonly status: 'connected' | 'error';
  readonly provider: string;
  readonly connectionId?: string;
  readonly error?: string;
}

const SIZE = 'popup,width=620,height=760';
const LOOK_MS = 400;
/** After its end the window's word may still be on its way, ms. */
const LAST_WORD_MS = 1_500;
/** A connect link, and what follows at the provider, last ten minutes each. */
const LONGEST_MS = 20 * 60_000;

/**
 * The window in which a person connects. It has to be opened in the very click: browsers block one that comes later.
 * Its word is believed where it comes from Trestle's origin and from this very window.
 */
export class ConnectWindow {
  private constructor(
    private readonly popup: Window,
    private readonly origin: string,
  ) {}

  /** @throws EmbedError `blocked_by_browser` */
  static open(baseUrl: string): ConnectWindow {
    // Where a browser would let it through all the same, or would ask: one rule everywhere.
    if (navigator.userActivation?.isActive === false) throw pageFault('blocked_by_browser');
    const popup = window.open('', '_blank', SIZE);
    if (!popup || popup.closed) throw pageFault('blocked_by_browser');
    return new ConnectWindow(popup, new URL(baseUrl).origin);
  }

  /** @throws EmbedError `unexpected_answer` for an address of anybody else */
  lead(to: string): void {
    if (new URL(to).origin !== this.origin)
      throw new EmbedError('unexpected_answer', 'The link to connect leads elsewhere.', 'Tell whoever runs this page.');
    if (!this.popup.closed) this.popup.location.replace(to);
  }

  close(): void {
    this.popup.close();
  }

  focus(): void {
    this.popup.focus();
  }

  /**
   * Waits until the window tells what came of it, or until `seen` says that it shows in the state: a provider may cut the window off
   * from this page, which then hears nothing of it, and takes it for closed.
   *
   * @returns the connection's id
   * @throws EmbedError `denied`, `closed`, `took_too_long`, or a code of Trestle's
   */
  async outcome(provider: string, seen: () => Promise<string | undefined>): Promise<string> {
    const done = new AbortController();
    try {
      return await new Promise<string>((resolve, reject) => {
        const hear = (told: Told) => {
          if (told?.type !== 'trestle:connect' || told.provider !== provider) return;
          if (told.status === 'connected' && told.connectionId) resolve(told.connectionId);
          else reject(failureOf(told.error));
        };
        addEventListener('message', ({ origin, source, data }) => origin === this.origin && source === this.popup && hear(data as Told), {
          signal: done.signal,
        });
        // A product on Trestle's own origin hears it also where the provider cut the window off.
        if (location.origin === this.origin) {
          const channel = new BroadcastChannel('trestle:connect');
          channel.addEventListener('message', ({ data }) => hear(data as Told));
          done.signal.addEventListener('abort', () => channel.close());
        }
        void this.closing(done.signal).then(async (code) => {
          if (done.signal.aborted) return;
          const id = await seen().catch(() => undefined);
          if (id === undefined) reject(pageFault(code));
          else resolve(id);
        });
      });
    } finally {
      done.abort();
    }
  }

  private async closing(signal: AbortSignal): Promise<'closed' | 'took_too_long'> {
    const until = Date.now() + LONGEST_MS;
    while (!this.popup.closed && !signal.aborted) {
      if (Date.now() > until) return 'took_too_long';
      await pause(LOOK_MS);
    }
    await pause(LAST_WORD_MS);
    return 'closed';
  }
}

function failureOf(code = 'connect_failed'): EmbedError {
  if (code === 'connect_denied') return pageFault('denied');
  return new EmbedError(code as EmbedErrorCode, 'The account could not be connected.', 'Try again in a moment.');
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
