// Land drawn from codes: forms and colours come from the server, which has them from nomoi.grid.paint.

const PALETTE = {floor: '#f4f1e9', line: '#e0dacb', ink: '#262a31', paper: '#ffffff'};

function form(pen, name, tone, x, y, s) {
  const at = (u, v) => [x + (u + 1) * s / 2, y + (v + 1) * s / 2];
  pen.fillStyle = tone;
  pen.strokeStyle = tone;
  if (name === 'solid') pen.fillRect(x, y, s, s);
  else if (name === 'wash') { pen.globalAlpha = .55; pen.fillRect(x, y, s, s); pen.globalAlpha = 1; }
  else if (name === 'hatch') {
    pen.globalAlpha = .22; pen.fillRect(x, y, s, s); pen.globalAlpha = .85; pen.lineWidth = s / 9;
    pen.save(); pen.beginPath(); pen.rect(x, y, s, s); pen.clip(); pen.beginPath();
    for (let k = 0; k <= 2 * s; k += s / 4) { pen.moveTo(x + k, y); pen.lineTo(x + k - s, y + s); }
    pen.stroke(); pen.restore(); pen.globalAlpha = 1;
  } else if (name === 'frame') {
    pen.globalAlpha = .3; pen.fillRect(x, y, s, s); pen.globalAlpha = 1; pen.lineWidth = s / 8;
    pen.strokeRect(x + s * .11, y + s * .11, s * .78, s * .78);
  } else if (name === 'dot' || name === 'blot') {
    pen.globalAlpha = name === 'blot' ? .8 : 1;
    pen.beginPath(); pen.arc(...at(0, 0), s * (name === 'blot' ? .39 : .26), 0, 7); pen.fill(); pen.globalAlpha = 1;
  } else if (name === 'ring') {
    pen.lineWidth = s * .11; pen.beginPath(); pen.arc(...at(0, 0), s * .25, 0, 7); pen.stroke();
  }
}

// Relative luminance of "#rrggbb" (WCAG 2.2).
function light(tone) {
  const [r, g, b] = [1, 3, 5].map((k) => parseInt(tone.slice(k, k + 2), 16) / 255).map((x) => x <= .04045 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b;
}

export function body(pen, tone, x, y, s, facing, word, out) {
  const turn = facing * Math.PI / 2;
  pen.save();
  pen.translate(x + s / 2, y + s / 2);
  pen.globalAlpha = out ? .35 : 1;
  pen.save();
  pen.rotate(turn);
  pen.beginPath(); pen.arc(0, s * .05, s * .34, -.55, Math.PI + .55); pen.lineTo(0, -s * .46); pen.closePath();
  pen.fillStyle = tone; pen.strokeStyle = PALETTE.ink; pen.lineWidth = Math.max(1, s * .05); pen.fill(); pen.stroke();
  pen.restore();
  pen.fillStyle = light(tone) < .22 ? PALETTE.paper : PALETTE.ink; // the number, in what stands out on the colour
  pen.font = `bold ${Math.round(s * .42)}px system-ui, sans-serif`;
  pen.textAlign = 'center'; pen.textBaseline = 'middle';
  pen.fillText(word, 0, s * .06);
  pen.restore();
}

function sheet(canvas, rows, columns) {
  const ratio = window.devicePixelRatio || 1;
  const wide = Math.min(640, canvas.parentElement?.clientWidth || 640);
  const s = Math.max(8, Math.min(44, Math.floor(wide / columns), Math.floor(560 / rows)));
  canvas.width = columns * s * ratio; canvas.height = rows * s * ratio;
  canvas.style.width = `${columns * s}px`;
  const pen = canvas.getContext('2d');
  pen.scale(ratio, ratio);
  pen.fillStyle = PALETTE.floor; pen.fillRect(0, 0, columns * s, rows * s);
  pen.strokeStyle = PALETTE.line; pen.lineWidth = 1;
  for (let k = 0; k <= columns; k++) { pen.beginPath(); pen.moveTo(k * s, 0); pen.lineTo(k * s, rows * s); pen.stroke(); }
  for (let k = 0; k <= rows; k++) { pen.beginPath(); pen.moveTo(0, k * s); pen.lineTo(columns * s, k * s); pen.stroke(); }
  return [pen, s];
}

function cells(pen, s, codes, looks) {
  codes.forEach((row, r) => row.forEach((code, c) => looks.forEach(([name, shape, tone], k) => {
    if (!((code >>> k) & 1)) return;
    if (shape === 'body') { if (name === 'agent') body(pen, '#b9bec6', c * s, r * s, s, 0, '', false); }
    else form(pen, shape, tone, c * s, r * s, s);
  })));
}

// What an agent sees: ahead is up, and itself has its number.
export function view(canvas, codes, fixed, seat) {
  const [pen, s] = sheet(canvas, codes.length, codes[0].length);
  cells(pen, s, codes, fixed.view.looks);
  const [ahead, side] = fixed.view.own;
  body(pen, fixed.colours[seat % fixed.colours.length], side * s, ahead * s, s, 0, String(seat + 1), false);
}

// The whole map, as a bystander sees it.
export function map(canvas, shown, fixed, seat = -1) {
  const [pen, s] = sheet(canvas, shown.codes.length, shown.codes[0].length);
  cells(pen, s, shown.codes, shown.looks);
  for (const [r, c, tone] of shown.goods) form(pen, 'dot', tone, c * s, r * s, s);
  shown.bodies.forEach(([r, c, facing, out], i) => {
    body(pen, fixed.colours[i % fixed.colours.length], c * s, r * s, s, facing, String(i + 1), out > 0);
    if (i === seat) { pen.lineWidth = 2; pen.strokeStyle = PALETTE.ink; pen.strokeRect(c * s + 1, r * s + 1, s - 2, s - 2); }
  });
}

export function count(codes, looks) {
  const seen = looks.map(([name], k) => [name, codes.flat().filter((code) => (code >>> k) & 1).length]);
  return seen.filter(([, n]) => n).map(([name, n]) => `${name} ${n}`).join(', ');
}
