// What the host sees: rooms, their links, and who is there.

import {el, place, post, show} from './dom.js';
import * as paint from './paint.js';
import {roster, socket} from './play.js';
import {press} from './press.js';
import {talk} from './talk.js';

const BEFORE = ['waiting', 'talking'], ALIVE = [...BEFORE, 'playing', 'paused'];

export async function rooms() {
  const got = await post('/ask/rooms');
  if (place.now !== 'play') return;
  const choose = el('select', {id: 'preset'}, got.presets.map((name) => el('option', {value: name}, name.replaceAll('_', ' '))));
  const refused = el('p', {className: 'refused', role: 'alert'});
  const start = el('button', {type: 'button', on: {click: async () => {
    const made = await post('/ask/room', {preset: choose.value});
    if (made.refused) refused.textContent = made.refused; else rooms();
  }}}, 'Open this room');
  show(el('h2', {}, 'Rooms'), el('div', {className: 'row'}, el('label', {htmlFor: 'preset'}, 'An experiment with people: '), choose, start),
    refused, got.rooms.length ? ordered(got.rooms).map(watch) : el('p', {}, 'No room is open. Build a situation, or open an experiment.'));
}

// The newest first, and those that are over last.
const ordered = (found) => [...found].reverse().sort((a, b) => (a.phase === 'over') - (b.phase === 'over'));

// "seat 2, seat 3 and 5 more": as many as one reads at a glance.
function listed(seats) {
  const names = seats.slice(0, 4).map((s) => s.label), rest = seats.length - names.length;
  if (rest) return `${names.join(', ')} and ${rest} more`;
  return names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1)}` : names[0];
}

// What is to be known before a session begins without some; nothing where all are there, or nobody is.
function lacking({phase, seats}) {
  const of = (test) => seats.filter(test), here = of((s) => s.state === 'here');
  const groups = [[of((s) => s.state === 'empty'), 'nobody has come to'], [of((s) => s.state === 'away'), 'somebody has left'],
    [here.filter((s) => !s.agreed), 'the consent is still being read at']].filter(([some]) => some.length);
  if (phase !== 'waiting' || !here.length || !groups.length) return null;
  const said = groups.map(([some, what]) => `${what} ${listed(some)}`).join('; ');
  const scripts = groups[0][1].startsWith('nobody') ? ' A script plays at a seat that nobody has taken.' : '';
  return {what: `${said[0].toUpperCase()}${said.slice(1)}.${scripts} Begin all the same?`, yes: 'Begin without waiting', no: 'Wait for them'};
}

function ending({seats}, step) {
  const many = seats.filter((s) => s.state === 'here').length, who = many === 1 ? '1 person is' : `${many} people are`;
  const kept = !step ? 'Nothing has been played, so nothing will be kept, and its links lead nowhere then.' :
    'What was played is kept as a record, and nobody can go on with it here.';
  return {what: `End this session? ${seats.length ? `${who} in it. ` : ''}${kept}`, yes: 'End the session', no: 'Let it go on'};
}

function watch(room) {
  const list = el('ul', {className: 'roster'}), said = el('p', {tabIndex: -1}), canvas = el('canvas', {role: 'img', hidden: true});
  const numbers = el('div', {}), kept = el('p', {}), refused = el('p', {className: 'refused', role: 'alert'});
  const does = (what) => () => { refused.textContent = ''; line.send({t: what}); };
  const door = room.join ? el('p', {}, 'At this address each phone gets the next free seat, until it begins: ', el('b', {className: 'join'}, `${location.origin}/${room.join}`), /^(127\.|localhost)/.test(location.hostname) ? ' (from this machine alone; `nomoi lab --lan ADDRESS` lets others in)' : '') : el('p', {hidden: true});
  let fixed = null, told = room, step = 0;
  const start = press('Start now', does('start'), () => lacking(told)), on = press('Go on', does('go on')), end = press('End', does('end'), () => ending(told, step));
  const chat = talk();
  const line = socket(`/r/${room.name}/ws`, (now) => {
    if (now.t === 'room') fixed = now;
    else if (now.t === 'said') chat.hear(now);
    else if (now.t === 'refused') refused.textContent = now.said;
    else if (now.t === 'roster') {
      told = now;
      roster(list, said, now);
      door.hidden = !room.join || now.phase === 'over'; // till then a phone finds its seat again there
      const lost = [start.can(BEFORE.includes(now.phase)), on.can(now.phase === 'paused'), end.can(ALIVE.includes(now.phase))];
      if (lost.includes(true)) said.focus();
      kept.replaceChildren(...(now.record ? ['Kept as ', el('code', {}, now.record), '.'] : []));
    } else if (now.t === 'watch' && fixed) {
      step = now.of.step;
      canvas.hidden = !now.of.map;
      if (now.of.map) { paint.map(canvas, now.of.map, fixed);
        canvas.setAttribute('aria-label', `The whole map, in cells: ${paint.count(now.of.map.codes, now.of.map.looks)}`); }
      numbers.replaceChildren(el('p', {}, `${now.of.step} turn${now.of.step === 1 ? '' : 's'} played, of at most ${fixed.horizon} and those in which people only vote or sign${(now.of.stock || []).map(([k, v]) => `; ${k}: ${v}`).join('')}`),
        el('p', {}, el('b', {}, 'Payoff so far')), el('ul', {className: 'paid'}, now.of.totals.map((paid, i) => el('li', {}, el('span', {}, `seat ${i + 1}: `), el('span', {}, paid)))));
    }
  }, () => { said.textContent = 'The line to the lab is lost.'; });
  window.addEventListener('leave', () => line.close(), {once: true});
  return el('section', {className: 'card', ariaLabel: `Room ${room.name}`}, el('h3', {}, `${room.title || 'Room'} (${room.name})`), said, list,
    door, room.links.length ? el('details', {open: room.phase !== 'over' && !room.join}, el('summary', {}, 'A link for each seat; give one to each person'),
      room.links.map((link, k) => el('p', {}, `seat ${k + 1}: `, el('a', {href: `/${link}`, target: '_blank', rel: 'noopener'}, `${location.origin}/${link}`)))) : '',
    el('div', {className: 'row'}, start.button, on.button, end.button), start.question, end.question, refused, kept, chat.panel, canvas, numbers);
}
