/** The style sheet of the page. It is a file, because the security policy forbids inline styles. */
export const apiPageStyle = `:root {
  color-scheme: light dark;
  --text: light-dark(#1b1f24, #e6e9ee);
  --muted: light-dark(#57606a, #9aa4b1);
  --ground: light-dark(#ffffff, #14171c);
  --raised: light-dark(#f5f7f9, #1c2128);
  --line: light-dark(#d5dae0, #343b45);
  --link: light-dark(#0b57c2, #7ab0ff);
  --change: light-dark(#8a4b00, #ffb868);
  --danger: light-dark(#b3261e, #ff9a92);
  --calm: light-dark(#14682f, #7fd69b);
}
* { box-sizing: border-box; }
body {
  margin: 0; display: grid; grid-template-columns: 14rem minmax(0, 1fr);
  font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--ground);
}
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1rem; border-inline-end: 1px solid var(--line); background: var(--raised); }
nav ul { list-style: none; margin: 0; padding: 0; }
nav a { display: block; padding: .3rem 0; }
main { padding: 1rem 2rem 4rem; max-width: 70rem; }
h1 { margin-block: .5rem; }
h2 { margin-block: 2.5rem .5rem; }
h3 { margin-block: 1.25rem .25rem; font-size: 1rem; }
a { color: var(--link); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; inset-block-start: -4rem; padding: .5rem 1rem; background: var(--ground); }
.skip:focus { inset-block-start: 0; z-index: 1; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
small { color: var(--muted); font-size: .85em; }
details { border: 1px solid var(--line); border-radius: .4rem; margin-block: .4rem; background: var(--raised); }
summary { cursor: pointer; padding: .5rem .75rem; }
.entry { padding: 0 .75rem .75rem; border-block-start: 1px solid var(--line); background: var(--ground); border-radius: 0 0 .4rem .4rem; }
.method { display: inline-block; min-width: 4.2rem; font: 700 .8rem ui-monospace, monospace; color: var(--change); }
.method.get, .method.head, .method.options { color: var(--calm); }
.method.delete { color: var(--danger); }
.about { color: var(--muted); }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: start; vertical-align: top; padding: .3rem .6rem .3rem 0; border-block-end: 1px solid var(--line); }
th { color: var(--muted); font-weight: 600; }
article { scroll-margin-block-start: 1rem; }
@media (max-width: 48rem) {
  body { display: block; }
  nav { position: static; height: auto; border: 0; border-block-end: 1px solid var(--line); }
  main { padding: 1rem; }
  table { display: block; overflow-x: auto; }
}
`;
