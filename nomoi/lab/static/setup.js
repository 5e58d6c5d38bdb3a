// A setup in the address behind the #, so that a reload and a bookmark keep it:
// #build?situation=pool&s.agents=4&1=levy&1.on=request&who=random

export function write(setup, who) {
  const words = new URLSearchParams({situation: setup.situation});
  if (setup.preset) words.set('preset', setup.preset);
  for (const [name, value] of Object.entries(setup.options)) words.set(`s.${name}`, value);
  setup.stack.forEach((part, k) => {
    words.set(String(k + 1), part.institution);
    for (const [name, value] of Object.entries(part.options)) words.set(`${k + 1}.${name}`, value);
  });
  if (who) words.set('who', who);
  history.replaceState(null, '', `#build?${words}`);
}

export function read(hash) {
  const [place, said] = hash.slice(1).split(/\?(.*)/s);
  if (place !== 'build' || !said) return null;
  const words = [...new URLSearchParams(said)], word = Object.fromEntries(words);
  const options = (of) => Object.fromEntries(words.filter(([name]) => name.startsWith(`${of}.`)).map(([name, value]) => [name.slice(of.length + 1), value]));
  const stack = words.filter(([name]) => /^\d+$/.test(name)).map(([name, institution]) => ({institution, options: options(name)}));
  return {setup: {situation: word.situation || '', preset: word.preset || '', options: options('s'), stack}, who: word.who || ''};
}
