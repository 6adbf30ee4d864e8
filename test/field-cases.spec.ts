import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');

/** What real providers and networks did, by kind, and the tests that hold the answer: the spec, then the names of its tests. */
const CASES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'our own set-up is refused: the connection stays, the operator is told': {
    'test/operator-alerts.spec.ts': [
      'at %s (%s) leaves the connection, and tells the operator once which setting to mend',
      'by %s reads whose it is to act, and works again by itself',
      'by an address that is not verified goes on syncing, renews no token for it, and the operator reads PUBLIC_URL',
      "is the user's, the operator's, the organization's or nobody's that is known, at every provider and with every status",
      "is the person's where the client is the person's own",
    ],
    'src/integrations/connections/tokens/refusals.spec.ts': [
      'says nothing about signing in where the code is unknown, keeps the connection, and asks with growing pauses',
      'names the administrator where the organization forbids it',
    ],
    'src/providers/stripe/stripe.spec.ts': [
      "takes a refused platform key for the operator's fault, and a refused pasted key for its owner's",
    ],
  },
  'absence from a partial list is no deletion': {
    'src/integrations/sync/runs/partial-lists.spec.ts': [
      'removes nothing, however it was cut; a whole one removes what is gone and no more',
    ],
    'src/integrations/sync/runs/sync-jobs.spec.ts': ['sweeps what is gone, and only after its last page'],
    'src/providers/google/google-mail.sync.spec.ts': [
      'holds more than a window by its history, and proves nothing gone where Google forgot that',
    ],
  },
  'a part that cannot work stops no other': {
    'src/integrations/sync/runs/sync-parts.spec.ts': [
      'is told by the run and the connection, with when it is tried again; the rest counts and is watched',
      'is left out of the syncs until its time has come, ever more rarely, and once a day at the least',
    ],
    'src/integrations/sync/runs/sync-faults.spec.ts': [
      'that gives no place to go on from is read whole the next time, and the parts after it have their turn',
    ],
    'src/providers/google/google.spec.ts': ['keeps what a list without a sync token at its end told, and asks for all of it the next time'],
    'src/integrations/sync/watches/watch.service.spec.ts': [
      'are made for the parts that can be watched; the one that cannot is asked again ever more rarely',
    ],
    'src/providers/stripe/stripe.spec.ts': [
      'learns the account of a restricted key from the refusal, and checks that it may read customers',
    ],
  },
  'a deletion in another dress, and what hangs on it': {
    'src/providers/google/google.spec.ts': [
      'keeps a cancelled occurrence of which nothing but the id is told, with its series and its start',
      'keeps a cancelled occurrence of a series, and only that',
    ],
    'src/integrations/sync/records/record-parts.spec.ts': ['go with it, each by a change of its own: one told of, one not mentioned'],
    'src/providers/slack/slack-records.handlers.spec.ts': [
      'takes its messages with it when it is deleted',
      'is gone by a deletion, also where its replies keep a gravestone in its place',
    ],
  },
  'a wrapper is not what it wraps': {
    'src/providers/slack/slack-records.handlers.spec.ts': [
      'is stored as itself (%j)',
      'is changed by an edit, and keeps nothing of the envelope',
    ],
  },
  'one installation, several connections': {
    'src/providers/slack/slack-org-wide.spec.ts': ['is listed workspace by workspace, and what they share once'],
    'src/integrations/connections/grants.spec.ts': ['is renewed once for all', 'has one token, with which all of them work'],
    'src/providers/slack/slack.spec.ts': ['routes to the installation that it was sent for, keyed by the message'],
    'src/providers/slack/slack-authorizations.spec.ts': [
      'reaches both, once, with its body',
      'stays with those whom the delivery names',
      'that one person was named for reaches the others whose grants see it, and nobody else',
    ],
  },
  'a delivery of a valid sender is taken': {
    'src/integrations/webhooks/inbox/valid-senders.http.spec.ts': [
      'may send thin events: known ones name account and object, unknown ones are stored and completed',
      'gets what a handler says at once, and the command is handled once like an event, without the token',
      'gets an empty 200 within 3 s where a handler has nothing to say, fails or hangs',
      'is answered 200 for what nobody can read, which is kept once and without its body',
    ],
  },
  'the session with the database is ours': {
    'src/database/session-settings.spec.ts': ['is ours in the embedded database, whatever that sets'],
  },
  'what people type': {
    'src/providers/google/google-mail.composer.spec.ts': ['sends to an address as people type it: %s'],
    'test/operations.spec.ts': ['invites an address of any domain as people type it'],
  },
  'what failed tells why': {
    'src/http-api/logging.spec.ts': ['tells what was thrown where it is no Error', 'names the whole chain of causes'],
    'test/refused-tokens.spec.ts': ['%s reads why, and so does the log, once', 'production tells the log, and no caller'],
  },
  'one failure silences nothing else': {
    'src/integrations/monitoring/alert.service.spec.ts': [
      'lets every other rule look where one fails',
      'tells each destination by itself: one that fails gets its notice later, the other got it once',
      'loses none of thousands, closes those that are over, and sends the critical first',
      "opens one alert for one tenant's trouble, however many others call without any",
      'opens one alert a tenant and one for the operator where two tenants and calls without one are hit, and closes all of them',
    ],
  },
  'a mark does not move past work that was not done': {
    'src/integrations/monitoring/retention.spec.ts': [
      'knows of every table what ends its rows',
      'deletes all that is overdue, however much it is, and nothing else',
    ],
    'src/integrations/webhooks/inbox/inbox-writer.spec.ts': ['goes on until no payload is overdue, and where it was stopped the next time'],
  },
  'what can never fit is not busy, and a batch is stored once': {
    'src/integrations/webhooks/inbox/many-events.spec.ts': [
      'stores the body of two hundred events in one delivery once, and every event finds its own in it',
      'takes five hundred events of 695 KB, and five thousand',
      'says of what can never be taken that it is too large, not that it may come again',
    ],
  },
};

describe.each(Object.entries(CASES))('%s', (_, specs) => {
  it.each(Object.entries(specs))('is held by tests of %s', (spec, names) => {
    const path = join(ROOT, spec);
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    expect(names.filter((name) => !isRun(text, name))).toEqual([]);
  });
});

/** Named by the first argument of a test that is not left out. */
function isRun(text: string, name: string): boolean {
  return ["'", '"', '`'].some((quote) => {
    const written = `${quote}${name.replaceAll(quote, `\\${quote}`)}${quote}`;
    const before = text.slice(0, Math.max(0, text.indexOf(written)));
    return (
      before !== '' &&
      /\b(it|test)(\.each[\s\S]*)?\(\s*$/.test(before.slice(-4_000)) &&
      !/\b(x(it|test)|(it|test)\.(skip|todo))[\w.]*\(\s*$/.test(before)
    );
  });
}
