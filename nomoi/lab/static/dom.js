// Elements, questions to the server, and what is said to whoever cannot see.

export function el(tag, given = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name === 'on') for (const [what, f] of Object.entries(value)) made.addEventListener(what, f);
    else if (name in made && name !== 'list') made[name] = value;
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...inside.flat().filter((x) => x != null && x !== ''));
  return made;
}

export const place = {now: ''}; // the one of the host's four that is open: a late answer to another shows nothing

export const show = (...inside) => document.getElementById('main').replaceChildren(...inside.flat());

export function say(text) {
  const live = document.getElementById('live');
  if (live.textContent !== text) live.textContent = text;
}

export async function post(path, body = {}) {
  const answer = await fetch(path, {method: 'POST', body: JSON.stringify(body),
    headers: {'content-type': 'application/json'}});
  const text = await answer.text();
  try { return {ok: answer.ok, ...JSON.parse(text)}; } catch { return {ok: answer.ok, refused: text}; }
}

export function table(columns, rows) {
  const said = (cell) => (cell instanceof Node ? cell.firstChild?.textContent : String(cell ?? '')) || '';
  const number = (x) => /^[-\u2212]?[\d,\u202f]*\.?\d+(e[-+]?\d+)?$/.test(x);
  return el('div', {className: 'scroll'}, el('table', {},
    el('thead', {}, el('tr', {}, columns.map((c, k) => el('th', {scope: 'col', className: k && rows[0] && number(said(rows[0][k])) ? 'num' : ''}, c)))),
    el('tbody', {}, rows.map((row) => el('tr', {}, row.map((cell, k) => k ? el('td',
      {className: number(said(cell)) ? 'num' : ''}, cell instanceof Node ? cell : String(cell ?? '')) :
      el('th', {scope: 'row'}, cell instanceof Node ? cell : String(cell))))))));
}
