// A curve of numbers that the server sent, as SVG; what it shows is said in words, too.

const NS = 'http://www.w3.org/2000/svg', W = 560, H = 300, L = 76, R = 16, T = 40, B = 44;
const TONES = ['var(--accent)', 'var(--warn)', 'var(--good)'];

function svg(tag, given, ...inside) {
  const made = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(given)) made.setAttribute(name, value);
  made.append(...inside);
  return made;
}

const short = (x) => String(Number(x.toPrecision(3)));

export function curve({along, x, lines, at}) {
  const ys = Object.values(lines).flat().filter((y) => y != null);
  if (!ys.length) return document.createElement('div');
  let low = Math.min(...ys), high = Math.max(...ys);
  if (high - low < 1e-9 * Math.max(1, Math.abs(high))) { low -= 0.5; high += 0.5; }
  const [from, to] = [x[0], x[x.length - 1]];
  const px = (v) => L + (W - L - R) * (v - from) / ((to - from) || 1), py = (v) => H - B - (H - T - B) * (v - low) / (high - low);
  const names = Object.keys(lines);
  const words = names.map((name) => {
    const known = lines[name].map((y, k) => [x[k], y]).filter(([, y]) => y != null);
    return known.length ? `${name} is ${short(known[0][1])} at ${along} ${short(known[0][0])} and ${short(known.at(-1)[1])} at ${short(known.at(-1)[0])}` : `${name} is nowhere known`;
  }).join('; ');
  const out = svg('svg', {viewBox: `0 0 ${W} ${H}`, role: 'img', 'aria-label': `Curve: ${words}.`, class: 'curve'});
  for (const v of [low, (low + high) / 2, high]) {
    out.append(svg('line', {x1: L, x2: W - R, y1: py(v), y2: py(v), class: 'rule'}), svg('text', {x: L - 8, y: py(v) + 4, 'text-anchor': 'end'}, short(v)));
  }
  for (const v of [from, (from + to) / 2, to]) out.append(svg('text', {x: px(v), y: H - B + 20, 'text-anchor': v === to ? 'end' : v === from ? 'start' : 'middle'}, short(v)));
  out.append(svg('text', {x: (L + W - R) / 2, y: H - 6, 'text-anchor': 'middle'}, along));
  if (at != null) out.append(svg('line', {x1: px(at), x2: px(at), y1: T, y2: H - B, class: 'now'}));
  let left = L;
  names.forEach((name, k) => {
    let pen = 'M', path = '';
    lines[name].forEach((y, i) => { if (y == null) pen = 'M'; else { path += `${pen}${px(x[i]).toFixed(1)} ${py(y).toFixed(1)}`; pen = 'L'; } });
    out.append(svg('path', {d: path || 'M0 0', stroke: TONES[k % 3], class: 'line', 'stroke-dasharray': k ? '7 4' : 'none'}),
      svg('path', {d: `M${left} 18h28`, stroke: TONES[k % 3], class: 'line', 'stroke-dasharray': k ? '7 4' : 'none'}),
      svg('text', {x: left + 34, y: 22, class: 'name'}, name));
    left += 60 + 8 * name.length;
  });
  return out;
}
