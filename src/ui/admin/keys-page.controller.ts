import { Controller, Inject } from '@nestjs/common';
import { CurrentUser, html, Roles, type Html, type SessionPrincipal } from '../../http-api';
import { CLOCK, type Clock } from '../../clock';
import { KEY_ROWS_COUNTED, KeyRotationService, type KeyUse } from '../../integrations';
import { count } from '../counted';
import { page, pill } from '../layout';
import { PageRoute } from '../page-route.decorators';
import { table } from '../table';
import { timeTag } from '../time-tag';
import { KEYS_PATH as PATH } from './admin-links';

/** The keys that encrypt, by their ids alone: which are in use, by how many rows, and what is to be done. They belong to no organization. */
@Roles('operator')
@Controller('admin/keys')
export class KeysPageController {
  constructor(
    private readonly rotation: KeyRotationService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @PageRoute()
  async show(@CurrentUser() caller: SessionPrincipal): Promise<string> {
    const keys = await this.rotation.status(KEY_ROWS_COUNTED);
    const body = html`<p>
        Tokens, secrets and stored answers are encrypted with the keys of <code>ENCRYPTION_KEYS</code>. The keys themselves are neither
        shown nor stored here.
      </p>
      ${keyTable(keys, this.clock.now())} ${whatToDo(keys)} ${steps()}`;
    return page({ title: 'Encryption keys', caller, path: PATH, body });
  }
}

function keyTable(keys: readonly KeyUse[], nowMs: number): Html {
  const rows = keys.map((key) => [
    html`<code>${key.keyId}</code>`,
    stateOf(key),
    key.since === null ? '–' : timeTag(key.since, nowMs),
    count(rowsOf(key), key.atLeast.length > 0),
    html`<div class="wide">
      ${
        Object.entries(key.rows)
          .filter(([, rows]) => rows > 0)
          .map(([name, rows]) => `${name} ${count(rows, key.atLeast.includes(name))}`)
          .join(', ') || '–'
      }
    </div>`,
  ]);
  return table('Encryption keys', ['Key', 'State', 'First used', 'Rows that need it', 'Which'], rows, 'There is no key.');
}

function stateOf(key: KeyUse): Html {
  if (key.primary) return pill('good', 'Encrypts what is new');
  if (key.present) return rowsOf(key) > 0 ? pill('warn', 'Still needed') : pill('soft', 'Not needed any more');
  return rowsOf(key) > 0 ? pill('bad', 'Missing, still needed') : pill('soft', 'Gone, not needed');
}

function whatToDo(keys: readonly KeyUse[]): Html {
  const missing = keys.filter((key) => !key.present && rowsOf(key) > 0);
  const old = keys.filter((key) => key.present && !key.primary);
  const needed = old.filter((key) => rowsOf(key) > 0);
  const free = old.filter((key) => rowsOf(key) === 0);
  const lines = [
    ...missing.map(({ keyId }) => html`Put the key <code>${keyId}</code> back, after the first: rows need it that nothing else opens.`),
    ...needed.map(({ keyId }) => html`Run <code>npm run keys -- rotate</code>: rows are still under <code>${keyId}</code>.`),
    ...free.map(
      ({ keyId }) =>
        html`<code>${keyId}</code> may be taken out, unless a process still has it first or it was added for a change that is under way.`,
    ),
  ];
  return html`<h2>What to do now</h2>
    ${
      lines.length === 0
        ? html`<p>Nothing: all rows are under the first key.</p>`
        : html`<ul>
            ${lines.map((line) => html`<li>${line}</li>`)}
          </ul>`
    }`;
}

function steps(): Html {
  return html`<h2>To change the key without a stop</h2>
    <ol>
      <li>Make a key: <code>echo "k2:$(openssl rand -base64 32)"</code></li>
      <li>Put it second in <code>ENCRYPTION_KEYS</code>, and restart every process, one after the other.</li>
      <li>Put it first, and restart every process again: what is new is encrypted with it.</li>
      <li>
        Run <code>npm run keys -- rotate</code>; it may be interrupted and run again. On the embedded database, stop the service first.
      </li>
      <li>When this page shows 0 rows for the old key, wait ten minutes, take it out and restart.</li>
    </ol>`;
}

function rowsOf({ rows }: KeyUse): number {
  return Object.values(rows).reduce((sum, each) => sum + each, 0);
}
