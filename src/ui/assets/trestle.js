/*
 * What HTML alone cannot: ask before what cannot be taken back without leaving the page, follow what changes, tell times as they are
 * where the reader is, and copy. The pages work without it. A card in which somebody is at work (a field, an open part, a question) is left alone.
 */
'use strict';
/* In a frame of the product's. What leads to a provider opens a window of its own: neither side is ever shown in a frame. */
const isFramed = window.top !== window;
/** Where this file lies: below the path, if any, that all of the service's addresses lie below. */
const OWN_ADDRESS = document.currentScript.src;
const WORDS = JSON.parse(document.currentScript.dataset.words);
const LANGUAGE = document.documentElement.lang;
document.addEventListener('submit', (event) => {
  const form = event.target;
  if (isFramed && /\/(connect|reconnect)$/.test(form.action)) form.target = '_blank';
  const question = form.dataset.question;
  if (!question || form.elements.confirmed) return;
  event.preventDefault();
  ask(question, event.submitter, form.querySelector('template'), (answers) => {
    for (const [name, value] of [...answers, ['confirmed', 'yes']])
      form.append(Object.assign(document.createElement('input'), { type: 'hidden', name, value }));
    form.requestSubmit();
  });
});

/*
 * A form with a secret is sent from where it stands: what was pasted stays in its field when the answer is that something is wrong, and
 * never stands in a page, an address or the history. Without a script it has to be pasted again.
 */
document.addEventListener('submit', (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form.matches('[data-card] form[id]') || !form.querySelector('input[type=password]')) return;
  event.preventDefault();
  if (!form.ariaBusy) sendInPlace(form);
});

async function sendInPlace(form) {
  form.ariaBusy = 'true';
  document.querySelector('.banner[data-said]')?.remove();
  const options = { method: 'POST', body: new URLSearchParams(new FormData(form)), headers: { accept: 'text/html' }, redirect: 'manual' };
  const answer = await fetch(form.action, options).catch(() => undefined);
  if (answer?.type === 'opaqueredirect') return location.assign(form.action.replace(/\/[^/]+\/key$/, ''));
  const fresh = new DOMParser().parseFromString((await answer?.text().catch(() => '')) || '', 'text/html');
  form.ariaBusy = null;
  const next = fresh.getElementById(form.id);
  if (!next) return sayAbove(answer ? [...fresh.querySelectorAll('main > p:not(.brand)')] : [WORDS.notReached]);
  const keepsSecret = (name, node) => !(name === 'value' && node.matches('input[type=password]'));
  Idiomorph.morph(form, next, { callbacks: { beforeAttributeUpdated: keepsSecret } });
  form.querySelector('[aria-invalid]')?.focus();
}

function ask(question, opener, asked, then) {
  const dialog = document.createElement('dialog');
  const text = Object.assign(document.createElement('p'), { id: 'question', textContent: question });
  const fields = document.createElement('form');
  if (asked) fields.append(asked.content.cloneNode(true));
  const row = Object.assign(document.createElement('div'), { className: 'actions' });
  const cancel = Object.assign(document.createElement('button'), { type: 'button', textContent: WORDS.cancel, autofocus: true });
  const yes = Object.assign(document.createElement('button'), {
    type: 'button',
    className: 'danger',
    textContent: opener.firstChild.textContent,
  });
  dialog.setAttribute('aria-labelledby', 'question');
  row.append(cancel, yes);
  dialog.append(text, fields, row);
  cancel.addEventListener('click', () => dialog.close());
  yes.addEventListener('click', () => {
    const answers = [...new FormData(fields)];
    dialog.close();
    then(answers);
  });
  dialog.addEventListener('close', () => {
    dialog.remove();
    opener.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
}

const HERE = new Intl.DateTimeFormat(LANGUAGE === 'en' ? 'en-GB' : LANGUAGE, {
  ...{ year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' },
  timeZoneName: 'short',
});

/* The reader's own time with its zone, and UTC beside it: as the text where a time is exact, else as its title. */
function tellLocally(time) {
  const at = new Date(time.dateTime);
  const utc = `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
  const both = at.getTimezoneOffset() === 0 ? utc : `${HERE.format(at)} · ${utc}`;
  if ('exact' in time.dataset) time.textContent = both;
  else time.title = both;
}

/* A time of a form: the field holds the reader's own, its label says the zone, UTC stands beside it and is what is sent. */
function askLocally(field) {
  // What the browser itself has put back into the field, after a reload, is the reader's own time already.
  const known = field.defaultValue === '' ? undefined : new Date(`${field.defaultValue}Z`);
  const length = field.defaultValue.length > 16 ? 23 : 16;
  const sent = Object.assign(document.createElement('input'), { type: 'hidden', name: field.name });
  const beside = Object.assign(document.createElement('span'), { className: 'soft' });
  const label = field.labels[0].firstChild;
  const [name] = label.textContent.split('(UTC)');
  const tell = () => {
    const at = new Date(field.value);
    const isTime = !Number.isNaN(at.getTime());
    sent.value = isTime ? `${at.toISOString().slice(0, length)}Z` : field.value;
    beside.textContent = isTime ? `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC` : '';
    label.textContent = `${name}(${HERE.formatToParts(isTime ? at : new Date()).find(({ type }) => type === 'timeZoneName').value})`;
  };
  field.removeAttribute('name');
  field.defaultValue = known ? new Date(known.getTime() - known.getTimezoneOffset() * 60000).toISOString().slice(0, length) : '';
  field.addEventListener('input', tell);
  field.after(beside, sent);
  window.addEventListener('pageshow', tell);
  tell();
}
if (Intl.DateTimeFormat().resolvedOptions().timeZone !== 'UTC') document.querySelectorAll('input[type=datetime-local]').forEach(askLocally);

/* "in 40 s" counts down by the reader's own clock from when it came: the two clocks need not agree. Below a minute; longer ones are read anew. */
const countdowns = new Map();
function countDown() {
  for (const [time, { left, since }] of countdowns) {
    if (!time.isConnected) {
      countdowns.delete(time);
      continue;
    }
    const seconds = Math.max(0, Math.round(left - (performance.now() - since) / 1000));
    if (seconds < 60) time.textContent = seconds === 0 ? WORDS.now : WORDS.inSeconds.replace('{seconds}', seconds);
  }
}
setInterval(countDown, 1000);

/* Beside what people copy: an id. */
function addCopyButton(code) {
  if (code.nextElementSibling?.matches('.copy')) return;
  const button = Object.assign(document.createElement('button'), { type: 'button', className: 'copy', textContent: WORDS.copy });
  button.setAttribute(
    'aria-label',
    WORDS.copyOne.replace('{text}', () => code.textContent),
  );
  button.addEventListener('click', async () => {
    const copied = await navigator.clipboard?.writeText(code.textContent).then(
      () => true,
      () => false,
    );
    // Without the permission, or where the page does not come over https: selected, for the keys.
    if (!copied) getSelection().selectAllChildren(code);
    button.textContent = copied ? WORDS.copied : WORDS.selected;
    setTimeout(() => (button.textContent = WORDS.copy), 2000);
  });
  code.after(button);
}

function addToPage(part) {
  part.querySelectorAll('time[datetime]').forEach(tellLocally);
  part.querySelectorAll('[data-copy]').forEach(addCopyButton);
  const now = performance.now();
  part.querySelectorAll('time[data-left]').forEach((time) => countdowns.set(time, { left: Number(time.dataset.left), since: now }));
}
addToPage(document);

/** After a stream that was refused. */
const AGAIN_MS = 30000;
/** How old what is shown may become: "just now" is to stay true. */
const FRESH_MS = 60000;
/** After a page that could not be read: nothing else may change for a long time. */
const UNREAD_MS = 3000;

function isAtWork(card) {
  const focused = document.activeElement;
  const isFilledIn = [...card.querySelectorAll('input')].some((input) => input.value !== input.defaultValue);
  return isFilledIn || card.querySelector('details[open]') || (card.contains(focused) && focused.matches('input, select'));
}

/** What a person has ticked stays so. */
function isTicked(box) {
  return box.matches('input[type=checkbox]') && box.checked;
}

function bringUpToDate(live, fresh) {
  const next = fresh.getElementById(live.id);
  if (!next) return;
  const says = () => new Map([...live.querySelectorAll('[data-says]')].map((card) => [card.id, card.dataset.says]));
  const before = says();
  Idiomorph.morph(live, next, {
    callbacks: {
      beforeNodeMorphed: (old) => !(old instanceof HTMLElement && ((old.matches('[data-card]') && isAtWork(old)) || isTicked(old))),
      beforeNodeRemoved: (old) => !(old instanceof HTMLElement && old.matches('.copy')),
    },
  });
  addToPage(live);
  const news = document.querySelector('[data-news]');
  const said = [...says()].filter(([id, text]) => before.get(id) !== text).map(([, text]) => text);
  if (news && said.length > 0) news.textContent = said.join(' ');
}

/* Reads the page anew by its own address, filters and all. */
let reading = false;
let readAt = performance.now();
let again = false;
let later;
async function refresh(live) {
  if (document.querySelector('dialog[open]')) return void (again = true);
  if (reading) return void (again = true);
  reading = true;
  again = false;
  const told = document.getElementById('told'); // news is held against the state again: it goes, or becomes other news, with what it told of
  const headers = { accept: 'text/html', ...(told?.dataset.told && { 'trestle-news': told.dataset.told }) };
  const options = { headers, credentials: 'same-origin', signal: AbortSignal.timeout(5000) };
  const answer = await fetch(location.href, options).catch(() => undefined);
  const text = (await answer?.text().catch(() => '')) || '';
  const fresh = new DOMParser().parseFromString(text, 'text/html');
  // A question may have been opened while the answer was on its way.
  if (document.querySelector('dialog[open]')) again = true;
  else if (answer?.ok) {
    readAt = performance.now();
    bringUpToDate(live, fresh);
    const still = told && fresh.getElementById('told');
    if (still) Idiomorph.morph(told, still);
  } else if (answer?.status === 401) sayEnded(fresh);
  else {
    clearTimeout(later);
    later = setTimeout(refresh, UNREAD_MS, live);
  }
  reading = false;
  if (again && !document.querySelector('dialog[open]')) refresh(live);
}

/* The page that says that the session has ended, above what is no longer followed. */
function sayEnded(fresh) {
  sayAbove([...fresh.querySelectorAll('main > p:not(.brand)')]);
}

function sayAbove(parts) {
  document.querySelector('.banner[data-said]')?.remove();
  const said = document.createElement('div');
  said.className = 'banner bad';
  said.setAttribute('role', 'alert');
  said.dataset.said = '';
  said.append(...parts);
  document.querySelector('main h1').after(said);
}

function follow() {
  const live = document.querySelector('[data-live]');
  if (!live) return;
  const mark = document.querySelector('[data-live-mark]');
  let stream;
  let timer;
  const say = (text) => void (mark.textContent === text || (mark.textContent = text));
  const close = (text) => {
    clearTimeout(timer);
    stream?.close();
    stream = undefined;
    say(text);
  };
  const open = () => {
    if (document.hidden || stream) return;
    let wasOpen = false;
    stream = new EventSource(new URL(`../live/${live.dataset.live}`, OWN_ADDRESS));
    stream.onopen = () => {
      say(WORDS.live);
      if (!wasOpen) refresh(live); // what changed before the stream was there
      wasOpen = true;
    };
    stream.onerror = () => {
      wasOpen = false;
      if (stream?.readyState !== EventSource.CLOSED) return say(WORDS.pausedAgain);
      close(WORDS.paused);
      timer = setTimeout(open, AGAIN_MS);
    };
    stream.addEventListener('changed', () => refresh(live));
    stream.addEventListener('heartbeat', () => performance.now() - readAt >= FRESH_MS && refresh(live));
    stream.addEventListener('ended', () => {
      close(WORDS.paused);
      document.removeEventListener('visibilitychange', turn);
      refresh(live);
    });
  };
  const turn = () => (document.hidden ? close(WORDS.paused) : open());
  document.addEventListener('visibilitychange', turn);
  document.addEventListener('close', () => again && refresh(live), true);
  open();
}
follow();
