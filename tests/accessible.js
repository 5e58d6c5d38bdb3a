// What is wrong with a page for somebody who does not see it, sees it badly, or has no mouse: a list of sentences.
// Written by hand after WCAG 2.2: names (4.1.2), headings (1.3.1), contrast (1.4.3), language and title (3.1.1, 2.4.2),
// one id an element, reflow (1.4.10), and targets of 24 pixels (2.5.8).
() => {
  const wrong = [], seen = (e) => e.checkVisibility({visibilityProperty: true, opacityProperty: true});
  const what = (e) => `<${e.tagName.toLowerCase()}${e.id ? ` id=${e.id}` : ''}> ${(e.textContent || '').trim().slice(0, 30)}`;
  if (!document.documentElement.lang) wrong.push('the page has no language');
  if (!document.title.trim()) wrong.push('the page has no title');
  if (document.querySelectorAll('main').length !== 1) wrong.push('there is not one main part');
  const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
  for (const id of new Set(ids.filter((x, k) => ids.indexOf(x) !== k))) wrong.push(`the id ${id} stands twice`);
  for (const e of document.querySelectorAll('[aria-describedby], [aria-labelledby], label[for]'))
    for (const id of (e.getAttribute('aria-describedby') || e.getAttribute('aria-labelledby') || e.htmlFor).split(' '))
      if (!document.getElementById(id)) wrong.push(`${what(e)} points at ${id}, which is not there`);
  let level = 0;
  for (const h of document.querySelectorAll('h1, h2, h3, h4, h5, h6')) {
    if (!seen(h)) continue;
    if (Number(h.tagName[1]) > level + 1) wrong.push(`${what(h)} comes after a heading of level ${level}`);
    level = Number(h.tagName[1]);
  }
  const named = (e) => e.ariaLabel || e.getAttribute('aria-labelledby') || (e.labels?.length && e.labels[0].textContent.trim())
    || (['BUTTON', 'A', 'SUMMARY'].includes(e.tagName) && e.textContent.trim()) || e.alt || e.title;
  for (const e of document.querySelectorAll('button, input, select, textarea, a[href], summary, iframe, img, [role=img], [role=log], section'))
    if (seen(e) && !named(e)) wrong.push(`${what(e)} has no name`);
  for (const e of document.querySelectorAll('button, input, select, summary')) {
    const box = (e.closest('label') || e).getBoundingClientRect();
    if (seen(e) && (box.width < 24 || box.height < 24)) wrong.push(`${what(e)} is ${box.width.toFixed()} by ${box.height.toFixed()} pixels`);
  }
  for (const f of document.querySelectorAll('fieldset')) if (seen(f) && !f.querySelector('legend')?.textContent.trim()) wrong.push(`${what(f)} has no legend`);
  for (const t of document.querySelectorAll('table')) if (seen(t) && !t.querySelector('th[scope]')) wrong.push(`${what(t)} has no heads`);
  if (document.documentElement.scrollWidth > innerWidth + 1) wrong.push(`the page is ${document.documentElement.scrollWidth} pixels wide, and ${innerWidth} are there`);

  const colour = (text) => { const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number); return [r, g, b, a]; };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
  const behind = (e) => { const here = e ? colour(getComputedStyle(e).backgroundColor) : colour(matchMedia('(prefers-color-scheme: dark)').matches ? 'rgb(0,0,0)' : 'rgb(255,255,255)');
    return here[3] === 1 ? here : over(here, behind(e.parentElement)); };
  const light = (c) => { const [r, g, b] = c.map((x) => x / 255).map((x) => x <= .04045 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), done = new Set();
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || done.has(e) || !seen(e) || e.closest('noscript, :disabled, [aria-busy=true]')) continue;
    done.add(e);
    const back = behind(e), front = over(colour(getComputedStyle(e).color), back);
    const [high, low] = [light(front), light(back)].sort((x, y) => y - x), ratio = (high + .05) / (low + .05);
    if (ratio < 4.5) wrong.push(`${what(e)} has a contrast of ${ratio.toFixed(2)}`);
  }
  return wrong;
}
