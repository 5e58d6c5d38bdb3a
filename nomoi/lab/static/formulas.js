// Formulas: what is known in closed form, with a control for each option; the server computes, the page draws.

import {control} from './control.js';
import {curve} from './curve.js';
import {el, place, post, say, show, table} from './dom.js';

const open = {form: 'niche', options: {}, along: '', of: ''};

export async function formulas() {
  const got = await post('/ask/formulas');
  if (place.now !== 'formulas') return;
  if (got.refused) return show(el('p', {className: 'refused', role: 'alert'}, got.refused));
  const left = el('div', {}), right = el('section', {id: 'consequences', ariaLabel: 'What it says'});
  let timer = 0, asked = 0;
  const wings = [...new Set(got.formulas.map((f) => f.wing))];
  const pick = el('select', {id: 'form', on: {change: (e) => { Object.assign(open, {form: e.target.value, options: {}, along: '', of: ''}); begin(); }}},
    wings.map((wing) => el('optgroup', {label: wing}, got.formulas.filter((f) => f.wing === wing).map((f) =>
      el('option', {value: f.name, selected: f.name === open.form}, f.name)))));
  show(el('div', {className: 'two'}, el('div', {}, el('h2', {}, 'A formula'), el('div', {className: 'row'}, el('label', {htmlFor: 'form'}, 'Which: '), pick), left), right));

  async function begin() {
    clearTimeout(timer);
    const mine = ++asked, told = await post('/ask/formula', open);
    if (mine !== asked) return; // another was picked meanwhile
    const moved = (c, value) => { open.options = {...open.options, [c.name]: value}; if (value === c.default) delete open.options[c.name]; open.along = c.name; soon(); };
    if (told.controls) left.replaceChildren(el('p', {}, told.about), ...told.controls.map((c) => control({...c, value: open.options[c.name] ?? c.value}, 'f', moved)));
    shown(told);
  }

  function soon() {
    clearTimeout(timer);
    right.setAttribute('aria-busy', 'true');
    timer = setTimeout(async () => {
      const mine = ++asked, told = await post('/ask/formula', open);
      if (mine === asked) shown(told);
    }, 40);
  }

  function shown(told) {
    right.setAttribute('aria-busy', 'false');
    if (told.refused) { say(told.refused); return right.replaceChildren(el('h2', {}, 'What it says'), el('p', {className: 'refused', role: 'alert'}, told.refused)); }
    open.of = told.of;
    const of = told.numbers.length > 1 ? el('div', {className: 'row'}, el('label', {htmlFor: 'of'}, 'Drawn: '), el('select', {id: 'of', on: {change: (e) => {
      open.of = e.target.value; soon(); }}}, told.numbers.map((n) => el('option', {value: n, selected: n === told.of}, n)))) : '';
    const units = told.rows.some((r) => r[3]), focus = document.activeElement?.id;
    right.replaceChildren(el('h2', {}, 'What it says'), table(units ? ['', 'value', 'unit'] : ['', 'value'], told.rows.map(([name, value, , unit, meaning]) =>
      [el('span', {}, name, el('small', {}, meaning)), value, ...(units ? [unit] : [])])), ...told.said.map((s) => el('p', {}, s)),
      told.curve || told.numbers.length ? el('div', {}, of, told.curve ? curve(told.curve) : el('p', {className: 'note'}, 'No curve: it would take too long while you wait.')) : '');
    if (focus === 'of') document.getElementById('of')?.focus();
    say(told.rows.slice(0, 3).map((r) => `${r[0]} ${r[1]}`).join(', '));
  }

  await begin();
}
