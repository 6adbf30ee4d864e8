import { pageFault } from '../embed-error.ts';
import { TrestleEmbed } from '../embed-client.ts';
import type { GetToken, GivenToken } from '../token-keeper.ts';

/** Where this script came from is where Trestle is, unless an element says otherwise. */
let ownPlace: string | undefined;
const byPlace = new Map<string, TrestleEmbed>();
let usual: TrestleEmbed | undefined;
const waiting = new Set<() => void>();

export function setPlace(place: string): void {
  ownPlace = place;
}

/** The client of all elements that name none: call it once, where the page knows how to get a token. */
export function setUp(options: { readonly getToken: GetToken; readonly baseUrl?: string }): TrestleEmbed {
  usual = new TrestleEmbed({ getToken: options.getToken, baseUrl: options.baseUrl ?? placeOr(undefined) });
  for (const look of waiting) look();
  return usual;
}

/** Calls when `setUp` was called. @returns a function that ends it */
export function whenSetUp(look: () => void): () => void {
  waiting.add(look);
  return () => void waiting.delete(look);
}

/** One client, and one stream, for all elements that ask in the same place. Undefined: nobody has said yet how to get a token. */
export function clientFor({ baseUrl, tokenUrl }: { readonly baseUrl?: string; readonly tokenUrl?: string }): TrestleEmbed | undefined {
  if (!tokenUrl) return usual;
  const place = placeOr(baseUrl);
  const url = new URL(tokenUrl, document.baseURI).href;
  const key = `${place} ${url}`;
  const client = byPlace.get(key) ?? new TrestleEmbed({ baseUrl: place, getToken: () => askFor(url) });
  byPlace.set(key, client);
  return client;
}

function placeOr(baseUrl: string | undefined): string {
  const place = baseUrl ?? ownPlace;
  if (!place) throw new Error('Say with base-url where Trestle is reached.');
  return place;
}

/** Of the product's own backend, with the product's own cookies; a form of another site cannot send this header. */
async function askFor(url: string): Promise<GivenToken> {
  const answer = await fetch(url, { method: 'POST', headers: { accept: 'application/json', 'x-requested-with': 'trestle-embed' } });
  if (!answer.ok) throw pageFault('token_unavailable', { cause: new Error(`${url} answered ${answer.status}`) });
  return (await answer.json()) as GivenToken;
}
