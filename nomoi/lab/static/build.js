// Build: a situation, a stack of institutions, a control for each option; and what follows from it.

import {control} from './control.js';
import {el, place, post, say, show, table} from './dom.js';
import {progress} from './progress.js';
import * as kept from './setup.js';

let setup = null, who = '', timer = 0, asked = 0, picked = 0;

export async function build(go) {
  const left = el('div', {}), right = el('section', {id: 'consequences', ariaLabel: 'Consequences'});
  show(el('div', {className: 'two'}, left, right));
  const told = kept.read(location.hash);
  if (told) ({setup, who} = told);

  async function refresh(focus) {
    const mine = ++picked, ready = progress(right), now = await post('/ask/build', setup ? {setup} : {});
    ready();
    if (mine !== picked || place.now !== 'build') return; // another was picked meanwhile, or another place
    if (now.refused && !now.setup) {
      right.replaceChildren(el('p', {className: 'refused', role: 'alert'}, now.refused));
      if (!left.children.length) left.replaceChildren(el('button', {type: 'button', on: {click: () => { setup = null; who = ''; history.replaceState(null, '', '#build'); refresh(); }}}, 'Begin anew'));
      return;
    }
    setup = now.setup;
    left.replaceChildren(...sides(now));
    if (focus) document.getElementById(focus)?.focus();
    follow(now.refused);
  }

  function follow(refused) {
    clearTimeout(timer);
    kept.write(setup, who);
    if (refused) { say(refused); return right.replaceChildren(el('h2', {}, 'What follows'), el('p', {className: 'refused', role: 'alert'}, refused)); }
    right.setAttribute('aria-busy', 'true');
    timer = setTimeout(async () => {
      const mine = ++asked;
      if (!right.children.length || right.querySelector('.refused')) right.replaceChildren(el('h2', {}, 'What follows'), el('p', {className: 'note'}, 'Working. What has a new shape is compiled first, which takes seconds; a moved slider does not.'));
      const done = progress(right), got = await post('/ask/follow', {setup, script: who});
      done();
      if (mine !== asked || place.now !== 'build') return;
      right.setAttribute('aria-busy', 'false');
      if (got.refused) { say(got.refused); return right.replaceChildren(el('h2', {}, 'What follows'), el('p', {className: 'refused', role: 'alert'}, got.refused)); }
      got.sentences.forEach((text, k) => { const card = document.getElementById(`sentence-${k}`); if (card) card.textContent = text; });
      const without = got.without && Object.keys(got.without).length ? got.without : null;
      right.replaceChildren(el('h2', {}, `What follows: ${got.how}`), ...got.rules.map((r) => el('p', {}, r)),
        ...got.said.filter(aside).map((s) => el('p', {className: 'note'}, s)),
        got.rows.length ? table(['', 'value', ...(without ? ['without any rule'] : []), 'unit'], got.rows.map(([name, value, between, unit, meaning]) => [
          el('span', {}, name, el('small', {}, meaning)), between ? el('span', {}, value, el('small', {}, between)) : value,
          ...(without ? [without[name] ?? ''] : []), unit])) : '', ...got.said.filter((s) => !aside(s)).map((s) => el('p', {}, s)));
      say(`${got.how}. ${got.rows.slice(0, 3).map((r) => `${r[0]} ${r[1]} ${r[3]}`).join(', ')} ${got.said[0] || ''}`);
    }, 60);
  }

  const aside = (s) => /^(Not solved|Who lives here)/.test(s); // what is to be known before the numbers are read

  function change(part, name, value, normal, anew) {
    part.options = {...part.options, [name]: value};
    if (value === normal) delete part.options[name];
    if (anew) { right.replaceChildren(); refresh(document.activeElement?.id); } else follow('');
  }

  const moved = (part) => (c, value) => change(part, c.name, value, c.default, c.anew || c.form === 'text');

  const like = (s) => [s.situation, s.preset, ...s.stack.map((part) => part.institution)].join(); // the same but for numbers

  function drawers(controls, part, prefix) {
    const live = controls.filter((c) => !c.anew && c.name !== 'in_force'), anew = controls.filter((c) => c.anew);
    return [...live.map((c) => control(c, prefix, moved(part))), anew.length ? el('details', {}, el('summary', {}, 'Sizes and names (a change compiles anew)'),
      anew.map((c) => control(c, prefix, moved(part)))) : ''];
  }

  function sides(now) {
    const pick = (id, names, value, does, words = {}) => { const s = el('select', {id, on: {change: (e) => does(e.target.value)}},
      names.map((n) => el('option', {value: n, selected: n === value}, n && words[n] ? `${n}: ${words[n]}` : words[n] || n))); return s; };
    const move = (k, by, id) => { const [part] = setup.stack.splice(k, 1); setup.stack.splice(k + by, 0, part); refresh(id); };
    const company = pick('script', ['', ...now.script], who, (v) => { who = v; follow(now.refused); }, {'': 'solved exactly, where that can be done; else random, on land forager', ...now.about.script});
    if (now.learned.length) company.append(el('optgroup', {label: 'what runs learned'}, now.learned.map(([value, said]) => el('option', {value, selected: value === who}, said))));
    const named = (n) => el('option', {value: n}, `${n}: ${now.about.institution[n]}`), fit = now.institution.filter((n) => now.fits[n]);
    const more = el('select', {id: 'more'}, el('optgroup', {label: 'fit here'}, fit.map(named)),
      el('optgroup', {label: 'do not fit as things stand: the card says why'}, now.institution.filter((n) => !now.fits[n]).map(named)));
    const lesson = now.lessons.find((l) => like(l.setup) === like(setup));
    return [
      el('div', {className: 'row'}, el('label', {htmlFor: 'lesson'}, 'Begin with: '), pick('lesson', [...(lesson ? [] : ['']), ...now.lessons.map((l) => l.title)], lesson?.title || '',
        (v) => { setup = structuredClone(now.lessons.find((l) => l.title === v)?.setup || setup); who = ''; refresh('lesson'); }, {'': 'what stands here'})),
      lesson ? el('p', {id: 'about'}, lesson.about) : '',
      el('h2', {}, 'The situation'), el('div', {className: 'row'}, el('label', {htmlFor: 'situation'}, 'Who meets over what: '),
        pick('situation', now.situation, setup.situation, (v) => { setup = {situation: v, preset: '', options: {}, stack: setup.stack}; refresh('situation'); }, now.about.situation)),
      now.presets.length ? el('div', {className: 'row'}, el('label', {htmlFor: 'setting'}, 'Preset: '), pick('setting', ['', ...now.presets.map(([name]) => name)], setup.preset,
        (v) => { setup.preset = v; setup.options = {}; refresh('setting'); }, {'': 'no preset, the defaults', ...Object.fromEntries(now.presets)})) : '',
      el('p', {}, now.card), el('p', {className: 'note'}, 'Each control says where its default is from; ours: chosen for nomoi, from no publication.'), ...drawers(now.controls, setup, 's'),
      el('h2', {}, 'The institutions'), setup.stack.length ? '' : el('p', {}, 'Nobody adds any rule.'),
      ...now.stack.map((part, k) => el('section', {className: 'card', ariaLabel: part.title}, el('div', {className: 'row'}, el('h3', {}, `${k + 1}. ${part.title}`),
        el('button', {type: 'button', id: `up-${k}`, disabled: !k, ariaLabel: `${part.title} up`, on: {click: () => move(k, -1, `up-${k - 1}`)}}, '\u2191'),
        el('button', {type: 'button', id: `down-${k}`, disabled: k === now.stack.length - 1, ariaLabel: `${part.title} down`, on: {click: () => move(k, 1, `down-${k + 1}`)}}, '\u2193'),
        el('button', {type: 'button', ariaLabel: `take ${part.title} away`, on: {click: () => { setup.stack.splice(k, 1); refresh('more'); }}}, 'take away')),
        part.refused ? el('p', {className: 'refused'}, part.refused) : '', el('p', {id: `sentence-${k}`}, part.sentence), ...drawers(part.controls, setup.stack[k], `i${k}`))),
      el('div', {className: 'row'}, el('label', {htmlFor: 'more'}, 'Add: '), more, el('button', {type: 'button', id: 'add', on: {click: () => {
        setup.stack.push({institution: more.value, options: {...now.fits[more.value]}}); refresh('add'); }}}, 'Add it')),
      el('h2', {}, 'Who lives there'), el('div', {className: 'row'}, el('label', {htmlFor: 'script'}, 'In simulated worlds: '),
        company, el('span', {className: 'note'}, 'In a room they have the seats that no person has.')),
      join(now)];
  }

  function join(now) {
    const number = (id, word, value, max) => [el('span', {className: 'held'}, el('label', {htmlFor: id}, word), el('input', {id, type: 'number', min: 0, max, value}))];
    const leaves = el('select', {id: 'leaves'}, ['script', 'pause', 'end'].map((v) => el('option', {value: v}, v)));
    const refused = el('p', {className: 'refused', role: 'alert'});
    return el('form', {className: 'card', ariaLabel: 'Play in it', on: {submit: async (event) => {
      event.preventDefault();
      const value = (id) => Number(document.getElementById(id).value);
      const made = await post('/ask/room', {setup, plan: {title: setup.situation, script: who, persons: value('persons'), deadline: value('deadline'), leaves: leaves.value}});
      if (made.refused) refused.textContent = made.refused; else go('play');
    }}}, el('h3', {}, 'Play in it'), el('div', {className: 'row'}, ...number('persons', 'seats for people', 1, 60), ...number('deadline', 'seconds a turn (0 waits)', 20, 3600),
      el('span', {className: 'held'}, el('label', {htmlFor: 'leaves'}, 'if somebody leaves'), leaves), el('button', {className: 'first'}, 'Open a room')), refused);
  }

  await refresh();
}
