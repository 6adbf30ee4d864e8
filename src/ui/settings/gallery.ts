import { html, providerSign, type Html } from '../../http-api';
import type { Language } from '../../languages';
import { INTEGRATIONS_PATH } from '../layout';
import type { ProviderCard } from './integration-cards';

/** As many cards without an account a page shows; with more they are tiles of a gallery. */
const MOST_EMPTY_CARDS = 8;

/** What of the address the page looks at. */
export interface Browsing {
  /** The beginning of a word of a provider's name. */
  readonly search?: string | undefined;
  /** Key of the provider whose card is opened. */
  readonly add?: string | undefined;
}

export interface Shelves {
  readonly cards: readonly ProviderCard[];
  /** Undefined where all have a card. */
  readonly gallery: readonly ProviderCard[] | undefined;
}

/** What is shown as a card: what is or was connected, what was chosen; of few providers all. */
export function shelved(all: readonly ProviderCard[], chosen: ReadonlySet<string>): Shelves {
  const isOwn = ({ provider, accounts, formerAccount }: ProviderCard) =>
    accounts.length > 0 || formerAccount !== undefined || chosen.has(provider.key);
  const others = all.filter((card) => !isOwn(card));
  if (others.length <= MOST_EMPTY_CARDS) return { cards: all, gallery: undefined };
  return { cards: all.filter(isOwn), gallery: others };
}

/** The providers that nothing is connected of, to be searched. A tile opens the provider's card. */
export function galleryOf(cards: readonly ProviderCard[], { search = '' }: Browsing, language: Language): Html {
  const shown = cards.filter(({ provider: { name, key } }) => isMeant(name, search) || key === search.toLowerCase());
  return html`<section class="gallery" aria-labelledby="gallery">
    <h2 id="gallery">${language.say('gallery.title')}</h2>
    <form class="filter" method="get" action="${INTEGRATIONS_PATH}" role="search" aria-label="${language.say('gallery.label')}">
      <label
        >${language.say('gallery.search')}
        <input type="search" name="search" value="${search}" maxlength="100" autocomplete="off" spellcheck="false"
      /></label>
      <button>${language.say('gallery.search')}</button>
      ${search !== '' && html`<a href="${INTEGRATIONS_PATH}">${language.say('gallery.all')}</a>`}
    </form>
    ${
      shown.length === 0
        ? html`<p class="empty" role="status">${language.say('gallery.nothing', { search })}</p>`
        : html`<ul class="tiles">
            ${shown.map((card) => tile(card, language))}
          </ul>`
    }
  </section>`;
}

function tile({ provider: { key, name, configured } }: ProviderCard, language: Language): Html {
  return html`<li>
    <a href="${INTEGRATIONS_PATH}?add=${key}#card-${key}">${providerSign({ key, name })} ${name}</a
    >${!configured && html` <span class="soft">${language.say('card.notAvailable')}</span>`}
  </li>`;
}

function isMeant(name: string, search: string): boolean {
  const plain = (text: string) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const wanted = plain(search).trim();
  return (
    plain(name).startsWith(wanted) ||
    plain(name)
      .split(/[^\p{L}\p{N}]+/u)
      .some((word) => word.startsWith(wanted))
  );
}
