// Where one enters: a link's token becomes a cookie, and the page becomes a seat's, or the host's places.

import {el, place as open, post, show} from './dom.js';
import {build} from './build.js';
import {formulas} from './formulas.js';
import {play} from './play.js';
import {records} from './records.js';
import {rooms} from './rooms.js';

const seat = location.pathname.match(/^\/r\/([^/]+)\/(\d+)\/$/);
const token = location.hash.slice(1), isToken = /^[\w-]{20,}$/.test(token); // else a place of the host's, and its setup

const code = location.pathname.match(/^\/join\/([^/]+)$/);

function join() { // a press of a button, so that a preview of the link takes no seat
  const refused = el('p', {className: 'refused', role: 'alert'});
  show(el('h2', {}, 'Take part'), el('p', {}, 'You get the next free seat. Stay with this phone or browser: it keeps your seat.'),
    el('button', {type: 'button', className: 'first', on: {click: async () => {
      const got = await post(location.pathname);
      if (got.link) location.replace(got.link); else refused.textContent = got.refused;
    }}}, 'Take a seat'), refused);
}

async function enter() {
  if (code) return join();
  if (isToken) {
    const answer = await post(seat ? `${location.pathname}enter` : '/enter', {token});
    history.replaceState(null, '', location.pathname);
    if (!answer.ok) return show(el('p', {className: 'refused'}, answer.refused || 'The link is not right.'));
  }
  if (seat) return play(seat[1], Number(seat[2]));
  const waiting = await post('/ask/rooms');
  if (!waiting.ok) return show(el('p', {className: 'refused'}, waiting.refused));
  const places = {__proto__: null, build: ['Build and consequences', build], formulas: ['Formulas', formulas], play: ['Play and watch', rooms], records: ['Records', records]};
  const nav = document.getElementById('places');
  const go = (name) => {
    for (const button of nav.children) button.toggleAttribute('aria-current', button.dataset.place === name);
    open.now = name;
    if (!location.hash.startsWith(`#${name}`)) history.replaceState(null, '', `#${name}`);
    window.dispatchEvent(new Event('leave'));
    places[name][1](go);
  };
  nav.append(...Object.entries(places).map(([name, [word]]) => {
    const button = el('button', {type: 'button', on: {click: () => go(name)}}, word);
    button.dataset.place = name;
    return button;
  }));
  const asked = () => location.hash.slice(1).split('?')[0];
  window.addEventListener('hashchange', () => places[asked()] && go(asked())); // a bookmark
  go(places[asked()] ? asked() : waiting.rooms.length ? 'play' : 'build');
}

enter();
