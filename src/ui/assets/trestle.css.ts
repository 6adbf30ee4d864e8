/** Light and dark, from 360 px up; every text has a contrast of at least 4.5 to 1. */
export const TRESTLE_CSS = `
:root {
  color-scheme: light dark;
  --ink: #1c2430; --soft: #55606f; --line: #d5dbe3; --paper: #f4f6f8; --card: #ffffff;
  --good: #166c41; --bad: #b3261e; --warn: #8a5b00; --brand: #2456c9; --on-brand: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6eaf0; --soft: #a0abba; --line: #343e4c; --paper: #11151b; --card: #1a2029;
    --good: #4cc38a; --bad: #ff8a80; --warn: #e3b341; --brand: #7aa2ff; --on-brand: #10182b;
  }
}
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
a { color: var(--brand); }
header { display: flex; gap: .25rem 1.5rem; align-items: center; flex-wrap: wrap; padding: .75rem 1.5rem; background: var(--card); border-bottom: 1px solid var(--line); }
nav { display: flex; gap: .25rem 1rem; flex: 1; flex-wrap: wrap; }
nav a { color: var(--soft); text-decoration: none; padding: .25rem 0; border-bottom: 2px solid transparent; }
nav a:hover { color: var(--ink); }
nav a[aria-current] { color: var(--ink); font-weight: 600; border-color: var(--brand); }
.who { color: var(--soft); font-size: .875rem; overflow-wrap: anywhere; }
.skip { position: absolute; left: -100vw; top: .5rem; padding: .5rem 1rem; background: var(--card); }
.skip:focus { left: .5rem; }
main { max-width: 75rem; margin: 0 auto; padding: 1.5rem; outline: none; }
.plain main { max-width: 36rem; padding-top: 12vh; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.125rem; margin: 2rem 0 .5rem; } h1 + h2 { margin-top: 0; }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); padding: 0; margin: 0; list-style: none; align-items: start; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem; }
.card h2, .card h3 { margin: 0; display: flex; flex-wrap: wrap; justify-content: space-between; gap: .25rem 1rem; align-items: baseline; overflow-wrap: anywhere; min-width: 0; }
.card h3 { font-size: 1rem; font-weight: 600; }
.card h3 > span:first-child { flex: 1 1 8rem; min-width: 0; }
.card p { margin: .25rem 0; overflow-wrap: anywhere; }
.account { border-top: 1px solid var(--line); margin-top: .75rem; padding-top: .75rem; }
.more { border-top: 1px solid var(--line); margin-top: .75rem; padding-top: .75rem; }
.pill { display: inline-block; font-size: .75rem; line-height: 1.5; font-weight: 600; padding: 0 .6rem; border-radius: 1rem; border: 1px solid currentColor; white-space: nowrap; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); } .soft { color: var(--soft); }
.actions { display: flex; gap: .5rem; flex-wrap: wrap; margin-top: .75rem; align-items: center; }
.actions details { flex-basis: 100%; }
form { margin: 0; }
button, select, input { font: inherit; border-radius: .5rem; border: 1px solid var(--line); background: var(--card); color: var(--ink); padding: .4rem .9rem; max-width: 100%; }
button { cursor: pointer; min-height: 2.5rem; position: relative; }
button:hover { border-color: currentColor; }
button.primary { background: var(--brand); border-color: var(--brand); color: var(--on-brand); }
button.danger { color: var(--bad); }
select, input { padding: .4rem .6rem; min-height: 2.5rem; }
input { border-color: var(--soft); }
:focus-visible { outline: 3px solid var(--brand); outline-offset: 2px; }
summary { cursor: pointer; color: var(--brand); padding: .25rem 0; }
form.key { display: grid; gap: .35rem; margin-top: .5rem; } form.key button { justify-self: start; } form.key .soft { font-size: .875rem; }
form.filter { display: flex; gap: .75rem; flex-wrap: wrap; align-items: end; margin: 0 0 1rem; }
form.filter label { display: grid; gap: .15rem; font-size: .875rem; color: var(--soft); }
form.filter a { padding: .5rem 0; }
.banner { padding: .75rem 1rem; border: 1px solid currentColor; border-radius: .5rem; background: var(--card); margin: 0 0 1rem; overflow-wrap: anywhere; }
.scroll { position: relative; overflow-x: auto; border: 1px solid var(--line); border-radius: .75rem; background: var(--card); }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { text-align: left; padding: .5rem .75rem; border-bottom: 1px solid var(--line); vertical-align: baseline; }
tbody tr:last-child td { border-bottom: 0; }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
td code { white-space: nowrap; } .wide code { white-space: normal; } .wide { min-width: 14rem; overflow-wrap: anywhere; } time { white-space: nowrap; }
td button { white-space: nowrap; min-height: 2rem; padding: .15rem .6rem; }
progress { width: 100%; accent-color: var(--brand); }
.empty { color: var(--soft); }
pre { margin: 0; padding: 1rem; font-size: .8125rem; }
code { font-size: .8125rem; overflow-wrap: anywhere; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; } dl.facts dt { color: var(--soft); } dl.facts dd { margin: 0; overflow-wrap: anywhere; }
dialog { max-width: min(28rem, calc(100vw - 2rem)); border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem; background: var(--card); color: var(--ink); }
dialog::backdrop { background: rgb(0 0 0 / .5); }
dialog p { margin: 0; }
dialog .actions { justify-content: end; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 40rem) {
  main, header { padding-left: 1rem; padding-right: 1rem; }
  header { justify-content: space-between; } nav { order: 1; flex-basis: 100%; }
  .card { padding: 1rem; }
}
@media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }
`;
