// Records: what was run, with pages and films as they are.

import {el, place, post, show, table} from './dom.js';

export async function records() {
  const got = await post('/ask/records');
  if (place.now !== 'records') return;
  if (got.refused) return show(el('p', {className: 'refused'}, got.refused));
  const frame = el('div', {});
  const open = (id, what, word) => el('button', {type: 'button', on: {click: () => {
    frame.replaceChildren(el('h2', {}, `${word} of ${id}`), el('p', {}, el('a', {href: `/kept/${what}/${id}`, target: '_blank', rel: 'noopener'}, 'in a tab of its own')), what === 'film' ?
      el('img', {src: `/kept/film/${id}`, alt: `Film of the record ${id}`}) : el('iframe', {src: `/kept/${what}/${id}`, title: `Page of the record ${id}`}));
    frame.scrollIntoView({behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth'});
  }}}, word);
  show(el('h2', {}, 'Records'), el('p', {className: 'note'}, `In the folder ${got.folder}.`), ...got.damaged.map((s) => el('p', {className: 'refused'}, s)),
    got.rows.length ? table(['record', '', 'what', 'seed', 'came of it'], got.rows.map((r) => [el('code', {}, r.id),
      el('span', {className: 'row'}, open(r.id, 'record', 'page'), r.film ? open(r.id, 'film', 'film') : '',
        r.kind === 'session' ? el('a', {className: 'button', href: `/kept/sheet/${r.id}`, download: `${r.id}.csv`}, 'CSV') : ''), el('span', {}, r.label, el('small', {}, r.kind)), r.seed ?? '', r.late])) : el('p', {}, 'There are none yet.'),
    got.pages.length ? [el('h2', {}, 'Pages'), el('ul', {}, got.pages.map((name) => el('li', {}, el('button', {type: 'button', on: {click: () =>
      frame.replaceChildren(el('h2', {}, name), el('iframe', {src: `/kept/page/${name}`, title: name}))}}, name))))] : '', frame);
}
