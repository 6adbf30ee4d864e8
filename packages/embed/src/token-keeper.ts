import { pageFault } from './embed-error.ts';

/** As `POST /v1/browser-tokens` gives it, handed on by the product's backend; the token alone is enough. */
export type GivenToken = string | { readonly token: string; readonly expiresAt?: string };

/** Asks the product's backend for a browser token of the person who is signed in there. */
export type GetToken = () => Promise<GivenToken> | GivenToken;

/** Before its end another is asked for, ms. */
const MARGIN_MS = 20_000;
/** How long one is used whose end was not told, ms: it may be refused sooner, and another is asked for then. */
const UNTOLD_MS = 60_000;
const DEADLINE_MS = 15_000;

/** The token, in memory and nowhere else; one question at a time. */
export class TokenKeeper {
  private token = '';
  private goodUntil = 0;
  private asking: Promise<string> | undefined;

  constructor(private readonly getToken: GetToken) {}

  get(): Promise<string> {
    if (Date.now() < this.goodUntil) return Promise.resolve(this.token);
    return (this.asking ??= this.ask().finally(() => (this.asking = undefined)));
  }

  /** It was refused. */
  forget(): void {
    this.goodUntil = 0;
  }

  private async ask(): Promise<string> {
    const given = await within(DEADLINE_MS, async () => this.getToken()).catch((cause: unknown) => {
      throw pageFault('token_unavailable', { cause });
    });
    const { token, expiresAt = '' } = typeof given === 'string' ? { token: given } : given;
    if (!token) throw pageFault('token_unavailable');
    const end = Date.parse(expiresAt);
    // One that lives shorter than the margin is used all the same.
    this.goodUntil = Number.isNaN(end) ? Date.now() + UNTOLD_MS : Math.max(end - MARGIN_MS, Date.now() + 1_000);
    return (this.token = token);
  }
}

async function within<T>(ms: number, work: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('No token came in time.')), ms);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
