// A seat: what a person reads, sees and answers; and what the host's view shares with it.

import {el, say, show} from './dom.js';
import * as paint from './paint.js';
import {talk} from './talk.js';

const KEYS = {ArrowUp: 'ahead', ArrowDown: 'back', ArrowLeft: 'left', ArrowRight: 'right', q: 'turn left', e: 'turn right',
  ' ': 'stay', x: 'zap', z: 'zap', c: 'collect'};

export function socket(path, hear, lost) {
  const ws = new WebSocket(`ws://${location.host}${path}`);
  let heard = Date.now(), said = heard, beaten = 0; // when the lab said something, this page did, and it last asked for a sign of life
  const over = () => { clearInterval(beat); ws.onclose = null; ws.close(); lost(); };
  const send = (what) => { if (ws.readyState === 1) { said = Date.now(); ws.send(JSON.stringify(what)); } };
  const beat = setInterval(() => { // turns and answers are signs of life, too
    const now = Date.now();
    if (beaten > heard && now - heard > 16000) over(); // a network that is gone closes no socket
    else if (now - said > 3900 || now - Math.max(heard, beaten) > 3900) { beaten = now; send({t: 'beat'}); }
  }, 1000);
  ws.onmessage = (event) => { heard = Date.now(); const what = JSON.parse(event.data); if (what.t !== 'beat') hear(what); };
  ws.onclose = over;
  return {send, close: () => { ws.onclose = null;
    clearInterval(beat); if (ws.readyState) ws.close(); else ws.onopen = () => ws.close(); }};
}

export function roster(list, said, now, mine) {
  const where = (s) => (s.state === 'here' && !s.agreed ? 'reading the consent' : {empty: 'not here yet', here: 'here', away: 'away', gone: 'gone'}[s.state]);
  const many = mine !== undefined && now.seats.length > 8; // a phone has no room for thirty lines
  const count = (state, word) => { const k = now.seats.filter((s) => s.state === state).length; return k ? `, ${k} ${word}` : ''; };
  list.replaceChildren(...(many ? [el('li', {}, `${now.seats.filter((s) => s.state === 'here').length} of ${now.seats.length} are here${count('away', 'away')}${count('gone', 'gone')}`)] :
    now.seats.map((s) => el('li', {className: s.state}, `${s.label}: ${where(s)}${s.answered && now.phase === 'playing' ? ', answered' : ''}`))));
  said.textContent = now.said;
}

export function play(room, place) {
  const seat = place - 1, list = el('ul', {className: 'roster'}), note = el('p', {id: 'said'});
  const canvas = el('canvas', {role: 'img', tabIndex: -1}), picture = el('div', {hidden: true}, canvas);
  const happened = el('p', {className: 'happened', id: 'happened'}), words = el('pre', {id: 'words'});
  const numbers = el('pre', {}), more = el('details', {hidden: true}, el('summary', {}, 'What your agent is told beside it, in numbers'), numbers);
  const asks = el('form', {id: 'asks'}), rules = el('div', {}), gate = el('div', {});
  const clock = el('p', {className: 'note', id: 'clock', tabIndex: -1}), refused = el('p', {className: 'refused', role: 'alert'});
  let fixed = null, you = null, turn = null, phase = '', sent = -1, until = 0, line, tries = 0;
  const sides = el('div', {className: 'two'}, el('div', {}, picture, happened, clock, refused), el('div', {}, asks, words, more, rules));
  const chat = talk((said) => line.send(said), () => clock.focus());
  show(note, list, gate, chat.panel, sides);

  function explain() {
    document.getElementById('title').textContent = `${fixed.title || fixed.name}: you are seat ${place}`;
    document.title = `seat ${place}, ${fixed.title || fixed.name}`;
    rules.replaceChildren(el('details', {open: true}, el('summary', {}, 'What this is'),
      fixed.about && el('p', {}, fixed.about), fixed.card.map((p) => el('p', {}, p)),
      fixed.rules.length ? el('p', {}, el('b', {}, 'The rules: '), fixed.rules.join(' ')) : ''));
  }

  function agree() {
    if (!you || you.agreed || !fixed) return gate.replaceChildren();
    if (gate.children.length) return;
    const button = el('button', {type: 'button', className: 'first', on: {click: () => {
      line.send({t: 'agree'}); you.agreed = true; gate.replaceChildren(); ask(true); chat.now(fixed, phase, you);
    }}}, 'I have read this and take part');
    gate.replaceChildren(el('section', {className: 'card', ariaLabel: 'Before you begin'},
      el('h2', {}, 'Before you begin'), el('p', {}, fixed.consent), button));
    button.focus();
  }

  function answer(choices) {
    if (!turn || phase !== 'playing' || (sent === turn.step && !fixed.pace)) return;
    sent = turn.step;
    line.send({t: 'answer', step: turn.step, choices});
    clock.textContent = fixed.pace ? '' : 'Answered; waiting for the others.';
    const here = asks.contains(document.activeElement);
    for (const field of fixed.pace ? [] : asks.elements) field.disabled = true;
    if (here && !fixed.pace) clock.focus(); // a disabled field would lose it; the next form takes it from there
  }

  function ask(focus) {
    if (phase === 'over') return; // what stands there says so
    refused.textContent = '';
    const waits = document.activeElement === clock, before = waits || asks.contains(document.activeElement);
    if (!turn || !you?.agreed || phase !== 'playing') {
      asks.replaceChildren();
      if (before || focus) clock.focus();
      return;
    }
    if (!turn.asked.length) {
      asks.replaceChildren(el('p', {}, 'Nothing is asked of you in this turn.'));
      if (before || focus) clock.focus();
      return;
    }
    const walk = turn.asked.length === 1 && fixed.labels[turn.asked[0]].includes('ahead');
    const had = document.activeElement?.value;
    const heads = turn.asked.map((head) => el('fieldset', {}, el('legend', {}, head.replaceAll('.', ': ')),
      walk ? el('div', {className: 'choices'}, fixed.labels[head].map((word, k) => el('button', {type: 'button', value: word,
        on: {click: () => answer({[head]: k})}}, word + key(word)))) :
      fixed.labels[head].length > 24 ? el('select', {name: head, ariaLabel: head.replaceAll('.', ': ')},
        fixed.labels[head].map((word, k) => el('option', {value: String(k)}, word))) :
      el('div', {className: 'choices'}, fixed.labels[head].map((word, k) => el('label', {},
        el('input', {type: 'radio', name: head, value: String(k), required: true}), ` ${word}`)))));
    const rest = !fixed.pace && sent === turn.step; // answered before the page was loaded anew
    asks.replaceChildren(...heads, walk ? '' : el('button', {className: 'first', id: 'send'}, 'Answer'));
    if (rest) { for (const field of asks.elements) field.disabled = true; clock.textContent = 'Answered; waiting for the others.'; }
    else if (before || focus) {
      const same = [...asks.elements].find((f) => f.value === had && f.tagName === 'BUTTON');
      (same || asks.querySelector('input, select, button'))?.focus();
    }
  }

  const key = (word) => { const found = Object.entries(KEYS).find(([, w]) => w === word);
    return found ? ` (${{' ': 'space', ArrowUp: '\u2191', ArrowDown: '\u2193', ArrowLeft: '\u2190', ArrowRight: '\u2192'}[found[0]]
      || found[0]})` : ''; };

  asks.addEventListener('submit', (event) => {
    event.preventDefault();
    const given = new FormData(asks);
    answer(Object.fromEntries(turn.asked.map((head) => [head, Number(given.get(head))])));
  });

  document.addEventListener('keydown', (event) => {
    const head = turn?.asked.length === 1 && turn.asked[0];
    if (!head || event.ctrlKey || event.metaKey || event.altKey || !fixed.labels[head].includes('ahead')) return;
    if (event.key === ' ' && event.target.tagName === 'BUTTON') return;
    if (event.target.matches?.('input, select, textarea, [role=log]')) return; // who writes a text does not walk
    const k = fixed.labels[head].indexOf(KEYS[event.key]);
    if (k >= 0 && you?.agreed) { event.preventDefault(); answer({[head]: k}); }
  });

  function draw() {
    if (turn.map) paint.map(canvas, turn.map, fixed, seat);
    else if (turn.view) paint.view(canvas, turn.view, fixed, seat);
    picture.hidden = !turn.map && !turn.view;
    sides.classList.toggle('plain', picture.hidden);
    const looks = turn.map ? turn.map.looks : fixed.view?.looks || [];
    canvas.setAttribute('aria-label', picture.hidden ? '' : `What you see, in cells: ${paint.count((turn.map || {codes: turn.view}).codes, looks)}`);
  }

  function hear(said) {
    if (said.t === 'room') { fixed = said; explain(); }
    else if (said.t === 'you') { you = said; agree(); ask(); chat.now(fixed, phase, you); }
    else if (said.t === 'said') chat.hear(said);
    else if (said.t === 'refused') refused.textContent = said.said;
    else if (said.t === 'roster') {
      phase = said.phase;
      const was = note.textContent;
      roster(list, note, said, seat);
      chat.now(fixed, phase, you);
      if (said.said !== was) say(said.said);
      if (phase === 'over') { asks.replaceChildren(el('p', {id: 'over'}, `The session is over.${said.record ? ` Its record is ${said.record}.` : ''}`)); clock.textContent = ''; }
      else if (phase === 'playing' && !asks.children.length) ask();
    } else if (said.t === 'turn') {
      const fresh = said.of.step !== turn?.step;
      turn = said.of;
      until = said.left ? Date.now() + 1000 * said.left : 0;
      happened.textContent = `${phase === 'over' ? 'After turn' : 'Turn'} ${turn.step + (phase !== 'over')}. ${turn.happened} In all: ${turn.total}.`;
      words.textContent = turn.words || '';
      numbers.textContent = turn.numbers || '';
      more.hidden = !turn.numbers; // of what is seen, too; else they are all there is
      draw();
      if (you?.answered === turn.step) sent = turn.step;
      if (fresh) { say(happened.textContent); clock.textContent = ''; ask(); }
    }
  }

  setInterval(() => { if (until && sent !== turn?.step && phase === 'playing')
    clock.textContent = `${Math.max(0, Math.ceil((until - Date.now()) / 1000))} seconds are left to answer.`; }, 500);

  const open = () => { line = socket(`/r/${room}/${place}/ws`, (x) => { tries = 0; hear(x); }, () => {
    if (phase === 'over') return;
    until = 0; // nobody counts down for a lab that is gone
    clock.textContent = '';
    note.textContent = 'The line to the lab is lost; trying again. Your seat is held for a while.';
    say(note.textContent);
    if (tries++ < 60) setTimeout(open, Math.min(5000, 300 * tries));
  }); };
  open();
}
