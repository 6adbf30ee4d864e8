import { html, type Html } from '../../http-api';
import { ownerOf, type Connection } from '../../integrations';
import { ENGLISH, type Language } from '../../languages';

/** What becomes of what was synced, when a connection ends. */
export const DATA_CHOICES = ['keep', 'purge'] as const;

export function disconnectQuestion(
  provider: string,
  connection: Pick<Connection, 'accountName' | 'userId'>,
  language: Language = ENGLISH,
): string {
  const isForAll = ownerOf(connection) === 'organization';
  return language.say(isForAll ? 'disconnect.questionForAll' : 'disconnect.question', { account: connection.accountName, provider });
}

/** @param id of what the form is about, unique on the page */
export function disconnectChoice(id: string, language: Language): Html {
  return html`<fieldset class="choices">
    <legend>${language.say('disconnect.what')}</legend>
    ${DATA_CHOICES.map(
      (choice) =>
        html`<label for="${choice}-${id}"
          ><input type="radio" id="${choice}-${id}" name="data" value="${choice}" ${choice === 'keep' && html`checked`} />
          <span>${language.say(`disconnect.${choice}`)}</span></label
        >`,
    )}
  </fieldset>`;
}
