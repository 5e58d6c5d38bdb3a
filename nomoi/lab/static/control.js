// A control for one documented option, in the form that the server names; `moved(option, text)` hears of a change.

import {el} from './dom.js';

export function control(c, prefix, moved) {
  const id = `${prefix}-${c.name.replaceAll(' ', '_')}`, hint = `${id}-hint`, given = {id, 'aria-describedby': hint};
  const changed = (value) => moved(c, value);
  const note = el('small', {id: hint}, `${c.meaning} (${c.unit ? `${c.unit}; ` : ''}${c.default === '' ? '' : `default ${c.default}, `}${c.source}${c.form === 'text' ? '' : `; ${c.may}`})`);
  let field;
  if (c.form === 'radio') {
    return el('fieldset', {className: 'control'}, el('legend', {}, c.name), el('div', {className: 'choices'},
      c.values.map((v) => el('label', {}, el('input', {type: 'radio', name: id, value: v, checked: v === c.value,
        on: {change: () => changed(v)}}), ` ${v}`))), note);
  }
  if (c.form === 'check') {
    field = el('input', {...given, type: 'checkbox', checked: c.value === 'True', on: {change: (e) => changed(e.target.checked ? 'True' : 'False')}});
  } else if (c.form === 'slider') {
    const box = el('input', {type: 'number', step: 'any', min: c.low, max: c.high, value: c.value, ariaLabel: `${c.name}, exactly`});
    const range = el('input', {...given, type: 'range', min: Math.min(c.from, c.value), max: Math.max(c.to, c.value), step: c.step, value: c.value});
    let last = c.value;
    const take = () => { last = box.value; changed(last); };
    range.addEventListener('input', () => { box.value = String(Number(Number(range.value).toPrecision(6))); take(); });
    box.addEventListener('change', () => {
      if (box.value === '') box.value = last; // an empty box says what holds
      if (Number(box.value) > Number(range.max)) range.max = box.value; // an open end gives way
      if (Number(box.value) < Number(range.min)) range.min = box.value;
      range.value = box.value;
      take();
    });
    field = el('div', {className: 'slide'}, range, box);
  } else {
    field = el('input', {...given, type: c.form === 'number' ? 'number' : 'text', step: c.whole ? 1 : 'any', min: c.low, max: c.high,
      value: c.value, on: {change: (e) => { if (e.target.value === '' && c.form === 'number') e.target.value = c.value; changed(e.target.value); }}});
  }
  return el('div', {className: 'control'}, el('label', {htmlFor: id}, c.name, c.symbol ? ` (${c.symbol})` : ''), ' ', field, note);
}
