// A control for one documented option, in the form that the server names; `moved(option, text)` hears of a change.

import {el} from './dom.js';

export function control(c, prefix, moved) {
  const id = `${prefix}-${c.name.replaceAll(' ', '_')}`, hint = `${id}-hint`, given = {id, 'aria-describedby': hint};
  const changed = (value) => moved(c, value);
  const note = el('small', {id: hint}, `${c.meaning}${c.unit ? `, in ${c.unit}` : ''} (${c.source}; ${c.form === 'text' ? `such as ${c.default}` : c.may})`);
  let field;
  if (c.form === 'radio') {
    return el('fieldset', {className: 'control'}, el('legend', {}, c.name), el('div', {className: 'choices'},
      c.values.map((v) => el('label', {}, el('input', {type: 'radio', name: id, value: v, checked: v === c.value,
        on: {change: () => changed(v)}}), ` ${v}`))), note);
  }
  if (c.form === 'check') {
    field = el('input', {...given, type: 'checkbox', checked: c.value === 'True', on: {change: (e) => changed(e.target.checked ? 'True' : 'False')}});
  } else if (c.form === 'slider') {
    const step = c.whole ? 1 : (c.high - c.low) / 200;
    const box = el('input', {type: 'number', step: 'any', min: c.low, max: c.high, value: c.value, ariaLabel: `${c.name}, exactly`});
    const range = el('input', {...given, type: 'range', min: c.low, max: c.high, step, value: c.value});
    range.addEventListener('input', () => { box.value = String(Number(Number(range.value).toPrecision(6))); changed(box.value); });
    box.addEventListener('change', () => { range.value = box.value; changed(box.value); });
    field = el('div', {className: 'slide'}, range, box);
  } else {
    field = el('input', {...given, type: c.form === 'number' ? 'number' : 'text', step: c.whole ? 1 : 'any', min: c.low, max: c.high,
      value: c.value, on: {[c.anew || c.form === 'text' ? 'change' : 'input']: (e) => e.target.value !== '' && changed(e.target.value)}});
  }
  return el('div', {className: 'control'}, el('label', {htmlFor: id}, c.name, c.symbol ? ` (${c.symbol})` : ''), ' ', field, note);
}
