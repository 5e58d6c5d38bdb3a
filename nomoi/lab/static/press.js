// A button that asks once more, in the page, before it does what cannot be undone.

import {el} from './dom.js';

// `ask()` gives {what, yes, no}: the words of the question and of its two answers, or nothing where one press is
// enough. The focus goes to the answer that changes nothing, so that a double press or a held key does no harm.
export function press(word, does, ask = () => null) {
  const button = el('button', {type: 'button'}, word), words = el('p', {});
  const no = el('button', {type: 'button', on: {click: () => off()}}), yes = el('button', {type: 'button', className: 'grave', on: {click: () => { off(); does(); }}});
  const question = el('div', {className: 'asks', role: 'group', hidden: true}, words, el('div', {className: 'row'}, no, yes));

  function off() {
    const here = question.contains(document.activeElement);
    question.hidden = true;
    if (here) button.focus();
  }

  function put(asked) {
    words.textContent = asked.what;
    question.setAttribute('aria-label', asked.what);
    [no.textContent, yes.textContent] = [asked.no, asked.yes];
  }

  button.addEventListener('click', () => {
    const asked = question.hidden ? ask() : null;
    if (!question.hidden) return off();
    if (!asked) return does();
    put(asked);
    question.hidden = false;
    no.focus();
  });
  question.addEventListener('keydown', (event) => { if (event.key === 'Escape') off(); });

  return {
    button,
    question,
    // Whether it can be pressed now. An open question is put as things stand now, and goes away with its sense; gives
    // whether the focus was there and has no place now: not on the button, where a press that comes late would do it.
    can(now) {
      const inside = question.contains(document.activeElement), lost = document.activeElement === button && !now;
      button.disabled = !now;
      const asked = now && !question.hidden ? ask() : null;
      if (asked) put(asked); else question.hidden = true;
      return lost || (inside && !asked);
    },
  };
}
