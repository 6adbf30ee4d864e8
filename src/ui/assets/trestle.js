/*
 * Two things that HTML alone cannot: ask before what cannot be taken back without leaving the page, and follow a sync that runs.
 * The pages work without it. A card in which somebody is at work (a field, an open part, a question) is left alone.
 */
'use strict';
document.addEventListener('submit', (event) => {
  const form = event.target;
  const question = form.dataset.question;
  if (!question || form.elements.confirmed) return;
  event.preventDefault();
  ask(question, event.submitter, () => {
    const yes = Object.assign(document.createElement('input'), { type: 'hidden', name: 'confirmed', value: 'yes' });
    form.append(yes);
    form.requestSubmit();
  });
});

function ask(question, opener, then) {
  const dialog = document.createElement('dialog');
  const text = Object.assign(document.createElement('p'), { id: 'question', textContent: question });
  const row = Object.assign(document.createElement('div'), { className: 'actions' });
  const cancel = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Cancel', autofocus: true });
  const yes = Object.assign(document.createElement('button'), {
    type: 'button',
    className: 'danger',
    textContent: opener.firstChild.textContent,
  });
  dialog.setAttribute('aria-labelledby', 'question');
  row.append(cancel, yes);
  dialog.append(text, row);
  cancel.addEventListener('click', () => dialog.close());
  yes.addEventListener('click', () => {
    dialog.close();
    then();
  });
  dialog.addEventListener('close', () => {
    dialog.remove();
    opener.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
}

const BUSY_MS = 1500;
const IDLE_MS = 30000;

function isAtWork(card) {
  const focused = document.activeElement;
  return card.querySelector('details[open]') || (card.contains(focused) && focused.matches('input, select'));
}

function bringUpToDate(live, fresh) {
  const said = [];
  for (const card of live.querySelectorAll('[data-card]')) {
    const next = fresh.getElementById(card.id);
    if (!next || next.outerHTML === card.outerHTML || isAtWork(card)) continue;
    if (next.dataset.says !== card.dataset.says) said.push(next.dataset.says);
    const focused = card.contains(document.activeElement) ? document.activeElement.id : '';
    card.replaceWith(next);
    if (focused) (document.getElementById(focused) || next.querySelector('button'))?.focus();
  }
  const news = document.querySelector('[data-news]');
  if (news && said.length > 0) news.textContent = said.join(' ');
}

async function follow() {
  const live = document.querySelector('[data-live]');
  if (!live) return;
  if (!document.hidden && !document.querySelector('dialog[open]')) {
    const options = { headers: { accept: 'text/html' }, credentials: 'same-origin', signal: AbortSignal.timeout(5000) };
    const answer = await fetch(live.dataset.live, options).catch(() => undefined);
    if (answer?.status === 401) return;
    const text = answer?.ok ? await answer.text().catch(() => '') : '';
    // A question may have been opened while the answer was on its way.
    if (text && !document.querySelector('dialog[open]')) bringUpToDate(live, new DOMParser().parseFromString(text, 'text/html'));
  }
  wait();
}

function wait() {
  setTimeout(follow, document.querySelector('[data-busy]') ? BUSY_MS : IDLE_MS);
}
wait();
