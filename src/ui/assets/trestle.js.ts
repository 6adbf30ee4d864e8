/** Two things that HTML alone cannot: ask before what cannot be undone, and follow a sync that runs. The pages work without it. */
export const TRESTLE_JS = `
document.addEventListener('submit', (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});
async function follow() {
  const live = document.querySelector('[data-live]');
  if (!live) return;
  const busy = live.querySelector('[data-busy]');
  const editing = live.contains(document.activeElement) && document.activeElement.matches('input');
  if (!document.hidden && !editing) {
    const answer = await fetch(live.dataset.live, { headers: { accept: 'text/html' }, credentials: 'same-origin', signal: AbortSignal.timeout(5000) }).catch(() => undefined);
    if (answer && answer.ok) {
      const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('[data-live]');
      if (fresh) live.replaceWith(fresh);
    }
  }
  setTimeout(follow, busy ? 1500 : 15000);
}
setTimeout(follow, 1500);
`;
