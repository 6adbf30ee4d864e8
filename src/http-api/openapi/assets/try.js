/* The form of a call's page: makes the call with what is filled in, and shows the answer as it comes. Nothing is kept, the token least of all. */
'use strict';
/** More than this of an answer nobody reads; a stream of events goes on for long. */
const MOST_CHARACTERS = 100000;

for (const part of document.querySelectorAll('[data-try]')) {
  const form = part.querySelector('form');
  const stop = part.querySelector('[data-stop]');
  const outcome = part.querySelector('[data-outcome]');
  const answer = part.querySelector('[data-answer]');
  let under;
  part.hidden = false;
  stop.addEventListener('click', () => under?.abort());
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    under?.abort();
    const own = (under = new AbortController());
    stop.hidden = false;
    answer.hidden = true;
    outcome.textContent = 'Sent';
    try {
      const { path, ...init } = callOf(form);
      const response = await fetch(new URL(`..${path}`, form.action), {
        ...init,
        signal: own.signal,
        credentials: 'omit',
        cache: 'no-store',
      });
      outcome.textContent = `${response.status} ${response.statusText}`;
      answer.hidden = false;
      await show(response, answer.querySelector('pre'), own);
    } catch (error) {
      if (own === under && !own.signal.aborted) outcome.textContent = `No answer: ${error.message}`;
    }
    if (own === under) stop.hidden = true;
  });
}

function callOf(form) {
  const query = new URLSearchParams();
  const headers = {};
  let path = form.dataset.path;
  let body;
  for (const { name, value, dataset } of form.elements) {
    const [place, ...rest] = name.split('.');
    const key = rest.join('.');
    if (name === '' || value === '') continue;
    if (name === 'token') headers.authorization = `Bearer ${value.trim()}`;
    else if (name === 'body') [body, headers['content-type']] = [value, dataset.type];
    else if (place === 'path') path = path.replace(`{${key}}`, () => encodeURIComponent(value));
    else if (place === 'query') query.append(key, value);
    else if (place === 'header') headers[key] = value;
  }
  return { path: path + (query.size > 0 ? `?${query}` : ''), method: form.dataset.method, headers, body };
}

async function show(response, place, own) {
  place.textContent = '';
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (let next = await reader?.read(); next && !next.done; next = await reader.read()) {
    text += next.value;
    place.textContent = text.slice(0, MOST_CHARACTERS);
    if (text.length > MOST_CHARACTERS) return own.abort();
  }
  if (/json/.test(response.headers.get('content-type') ?? '') && text.length <= MOST_CHARACTERS)
    place.textContent = JSON.stringify(JSON.parse(text), null, 2);
}
