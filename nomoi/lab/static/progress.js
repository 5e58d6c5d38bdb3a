// What the lab does while somebody waits for an answer, and for how long it has done it.

import {el, post, say} from './dom.js';

const FIRST = 1000, EVERY = 1000, SPOKEN = [3, 15, 30, 60, 120]; // milliseconds; seconds after which it is said aloud, too

let stop = () => {};

// Puts a line at the top of `panel` once an answer takes longer than a second, and gives what takes it away again; so
// do a later question, and whoever leaves the place.
export function progress(panel) {
  stop();
  const line = el('p', {className: 'note doing'}), begun = Date.now();
  const spoken = [...SPOKEN];
  let timer = setTimeout(look, FIRST), over = false;

  async function look() {
    const {doing = ''} = await post('/ask/doing').catch(() => ({}));
    if (over) return;
    const seconds = Math.round((Date.now() - begun) / 1000);
    line.textContent = `${doing || 'Working'}, ${seconds} s so far.`;
    if (!line.isConnected) panel.prepend(line);
    if (seconds >= spoken[0]) { say(line.textContent); while (seconds >= spoken[0]) spoken.shift(); }
    timer = setTimeout(look, EVERY);
  }

  window.addEventListener('leave', () => mine(), {once: true});
  const mine = stop = () => { over = true; clearTimeout(timer); line.remove(); };
  return mine;
}
