// Talk: short texts among the people of a room. They are put in as text, never as markup.

import {el} from './dom.js';

// A panel with what was said; `send` is where a text goes, and is left out for who only watches; `after` is
// called when somebody is ready, and takes the focus.
export function talk(send, after) {
  const log = el('div', {role: 'log', tabIndex: 0, ariaLabel: 'What was said', className: 'said'});
  const words = el('input', {id: 'say', type: 'text', autocomplete: 'off', required: true});
  const form = el('form', {className: 'row', on: {submit: (event) => {
    event.preventDefault();
    send({t: 'say', words: words.value});
    words.value = '';
  }}}, el('label', {htmlFor: 'say'}, 'Say to all: '), words, el('button', {}, 'Say'));
  const ready = el('button', {type: 'button', className: 'first', on: {click: () => {
    send({t: 'ready'});
    ready.disabled = true;
    ready.textContent = 'Waiting for the others';
    after();
  }}}, 'I am ready to begin');
  const panel = el('section', {className: 'card talk', ariaLabel: 'Talk', hidden: true}, el('h2', {}, 'Talk'), log, send ? [form, ready] : '');
  return {
    panel,
    hear(said) {
      if (said.all) log.replaceChildren();
      log.append(...said.of.map((one) => el('p', {}, el('b', {}, `seat ${one.seat}`), one.step ? ` (after turn ${one.step})` : '', `: ${one.words}`)));
      log.scrollTop = log.scrollHeight;
      panel.hidden = false;
    },
    // What can be done now, by how the room is and whether this person has agreed.
    now(fixed, phase, you) {
      const open = Boolean(you?.agreed) && (phase === 'talking' || (fixed?.talk === 'always' && ['playing', 'paused'].includes(phase)));
      const began = phase === 'talking' && ready.hidden;
      words.maxLength = fixed?.letters || 280;
      form.hidden = !open;
      ready.hidden = !open || phase !== 'talking';
      if (you?.talked) ready.disabled = true;
      if (open || log.children.length) panel.hidden = false;
      if (open && began) words.focus();
    },
  };
}
