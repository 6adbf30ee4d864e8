export const TRESTLE_CSS = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --line: #d8dee6; --paper: #f6f7f9; --card: #fff; --good: #1a7f4b; --bad: #b3261e; --warn: #9a6700; --brand: #2456c9; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9aa5b4; --line: #323b48; --paper: #12161c; --card: #1a2029; --good: #4cc38a; --bad: #ff8a80; --warn: #e3b341; --brand: #7aa2ff; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
header { display: flex; gap: 1.5rem; align-items: center; padding: .75rem 1.5rem; background: var(--card); border-bottom: 1px solid var(--line); flex-wrap: wrap; }
nav { display: flex; gap: 1rem; flex: 1; flex-wrap: wrap; }
nav a { color: var(--soft); text-decoration: none; } nav a[aria-current] { color: var(--ink); font-weight: 600; }
.who { color: var(--soft); font-size: .875rem; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.125rem; margin: 2rem 0 .5rem; }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); padding: 0; list-style: none; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem; display: flex; flex-direction: column; gap: .5rem; }
.card h2 { margin: 0; display: flex; justify-content: space-between; gap: 1rem; align-items: baseline; }
.card p { margin: 0; overflow-wrap: anywhere; }
.pill { font-size: .75rem; font-weight: 600; padding: .1rem .6rem; border-radius: 1rem; border: 1px solid currentColor; white-space: nowrap; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); } .soft { color: var(--soft); }
.actions { display: flex; gap: .5rem; flex-wrap: wrap; margin-top: auto; padding-top: .5rem; align-items: center; }
button { font: inherit; padding: .4rem .9rem; border-radius: .5rem; border: 1px solid var(--line); background: var(--card); color: var(--ink); cursor: pointer; }
button.primary { background: var(--brand); border-color: var(--brand); color: var(--card); } button.danger { color: var(--bad); }
button:focus-visible, a:focus-visible, input:focus-visible, summary:focus-visible { outline: 3px solid var(--brand); outline-offset: 2px; }
input, select { font: inherit; padding: .4rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--card); color: var(--ink); max-width: 100%; }
form.filter { display: flex; gap: .75rem; flex-wrap: wrap; align-items: end; margin: 0 0 1rem; } form.filter label { display: grid; font-size: .875rem; color: var(--soft); }
.banner { padding: .75rem 1rem; border: 1px solid currentColor; border-radius: .5rem; background: var(--card); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; background: var(--card); font-size: .875rem; }
th, td { text-align: left; padding: .4rem .75rem; border-bottom: 1px solid var(--line); vertical-align: top; } th { color: var(--soft); font-weight: 600; }
progress { width: 100%; } .empty { color: var(--soft); } code { font-size: .8125rem; overflow-wrap: anywhere; }
`;
