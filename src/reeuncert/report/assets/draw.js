// Draws panels of areas, lines, points and texts as SVG. Colours are variables of the style sheet, so that themes need no
// redrawing; the picture scales with its box, so that nothing is cut in print.
report.paint = (colour) => (/^#|\(/.test(colour) ? colour : `var(--${colour})`);

report.nice = (low, high, count) => {
  const raw = (high - low) / Math.max(1, count), power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((m) => raw <= m * power * 1.001) ?? 10);
  const out = [];
  for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + 1e-9 * step; v += step) out.push(Math.abs(v) < 1e-9 * step ? 0 : v);
  return out;
};

report.scale = (axis, from, to) => {
  const f = axis.log ? Math.log : (v) => v, [a, b] = axis.limits.map(f);
  return (v) => from + ((to - from) * (f(v) - a)) / (b - a || 1);
};

report.tip = (lines, event) => {
  const tip = document.getElementById("tip");
  tip.hidden = !lines;
  if (!lines) return;
  tip.replaceChildren(...lines.map((line, i) => report.make(i ? "div" : "strong", {}, line)));
  const box = tip.getBoundingClientRect(), room = document.documentElement.clientWidth;
  tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, room - box.width - 8)) + scrollX}px`;
  tip.style.top = `${event.clientY + scrollY + (event.clientY + box.height + 24 > innerHeight ? -box.height - 14 : 16)}px`;
};

report.symbols = {
  circle: (r) => `M${-r},0a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0Z`,
  square: (r) => `M${-r},${-r}h${2 * r}v${2 * r}h${-2 * r}Z`,
  diamond: (r) => `M0,${-1.3 * r}L${1.3 * r},0L0,${1.3 * r}L${-1.3 * r},0Z`,
  "triangle-up": (r) => `M0,${-1.2 * r}L${1.2 * r},${r}L${-1.2 * r},${r}Z`,
  "triangle-down": (r) => `M0,${1.2 * r}L${1.2 * r},${-r}L${-1.2 * r},${-r}Z`,
};

report.dashes = { dash: "6 4", dot: "2 3" };
report.ofPoint = (m, colour) => (m.f ? `fill:var(--ground);stroke:${colour};stroke-width:1.4` : `fill:${colour};fill-opacity:${m.o ?? 1};stroke:var(--ground);stroke-width:0.7`);

// The sign of a mark in a legend, as it is drawn.
report.sign = (m) => {
  const colour = report.paint(m.c), sign = report.svg("svg", { viewBox: "0 0 24 12", class: "sign", "aria-hidden": "true" });
  if (m.k === "p") sign.append(report.svg("path", { d: report.symbols[m.s](4.5), transform: "translate(12 6)", style: report.ofPoint(m, colour) }));
  else if (m.k === "l") sign.append(report.svg("path", { d: "M0,6H24", style: `stroke:${colour};stroke-width:${m.w ?? 1.5}`, "stroke-dasharray": report.dashes[m.d] ?? "none" }));
  else sign.append(report.svg("rect", { width: 24, height: 12, style: `fill:${colour};fill-opacity:${Math.min(1, 2 * (m.o ?? 1))}` }));
  return sign;
};

report.legend = (figure, marks) => {
  const named = new Map();
  for (const mark of marks) if (mark.n && !named.has(mark.n)) named.set(mark.n, mark);
  report.one(":scope > .legend", figure)?.remove();
  if (!named.size) return;
  const items = [...named].map(([name, mark]) => {
    return report.make("li", {}, report.sign(mark), name);
  });
  figure.append(report.make("ul", { className: "legend" }, ...items));
};

// The lines of text for the nearest x of all lines, or for the nearest point.
report.hover = (svg, panel, x, y, box) => {
  const lines = panel.marks.filter((m) => m.h && m.k === "l"), points = panel.marks.filter((m) => m.h && m.k === "p");
  if (!lines.length && !points.length) return;
  const cross = report.svg("line", { y1: box.top, y2: box.bottom, class: "cross", visibility: "hidden" });
  svg.append(cross);
  const at = (event) => {
    const frame = svg.getBoundingClientRect(), grow = svg.viewBox.baseVal.width / frame.width;
    const px = (event.clientX - frame.left) * grow, py = (event.clientY - frame.top) * grow;
    if (lines.length) {
      const known = lines.flatMap((m) => m.x.filter((_, i) => m.y[i] !== null && m.h[i]));
      if (!known.length) return;
      const near = known.reduce((a, b) => (Math.abs(x(b) - px) < Math.abs(x(a) - px) ? b : a));
      cross.setAttribute("x1", x(near)); cross.setAttribute("x2", x(near)); cross.setAttribute("visibility", "visible");
      const told = [...lines, ...points].flatMap((m) => m.x.flatMap((v, i) => (Math.abs(v - near) <= 0.5 && m.y[i] !== null && m.h[i] ? m.h[i].split("\n") : [])));
      report.tip([panel.years ? String(near) : report.number(near), ...told], event);
      return;
    }
    let best = null, least = 26 ** 2;
    for (const m of points) m.x.forEach((v, i) => {
      if (m.y[i] === null || v === null) return;
      const d = (x(v) - px) ** 2 + (y(m.y[i]) - py) ** 2;
      if (d < least) { least = d; best = m.h[i]; }
    });
    report.tip(best ? best.split("\n") : null, event);
  };
  svg.addEventListener("pointermove", at);
  svg.addEventListener("pointerdown", at);
  svg.addEventListener("pointerleave", () => { cross.setAttribute("visibility", "hidden"); report.tip(null); });
};

// Redraws when the box gets another width.
report.sized = (element, draw) => {
  element.redraw = draw;
  if (!element.watched) {
    element.watched = new ResizeObserver(() => {
      if (Math.abs(element.clientWidth - element.width) < 2 || !element.clientWidth) return;
      element.width = element.clientWidth;
      element.redraw();
    });
    element.watched.observe(element);
  }
  element.width = element.clientWidth;
  draw();
};

// In print, a panel of a grid has a third of the page, and texts keep their size.
report.room = (element) => {
  const height = Number.parseFloat(element.dataset.height);
  if (!report.printing) {
    const width = Math.max(240, element.clientWidth), low = width < 480 && height > 500 ? 0.7 * height : height;
    element.style.minHeight = `${low}px`;
    return { width, height: low };
  }
  if (element.closest(".first")) return { width: 690, height: 170 };
  return element.closest(".grid") && !element.closest(".wide") ? { width: 225, height: Math.min(height, 150) } : { width: 690, height };
};

report.panel = (element, panel) => {
  report.legend(element.closest("figure"), panel.marks);
  report.sized(element, () => report.drawPanel(element, panel));
};

report.drawPanel = (element, panel) => {
  const { width, height } = report.room(element);
  const yTicks = panel.y.ticks ?? report.nice(...panel.y.limits, Math.max(2, height / 55)).map((v) => [v, report.number(v)]);
  const longest = Math.max(...yTicks.map(([, t]) => t.length)), most = Math.floor((0.4 * width) / 6.3);
  const left = Math.min(longest, most) * 6.3 + 12 + (panel.y.title && !panel.y.ticks ? 17 : 0), right = 14;
  const x = report.scale(panel.x, left, width - right), names = panel.x.ticks ?? [];
  const size = (said) => Math.max(...said.split("\n").map((part) => part.length)) * 7 + 6;
  // Names that do not fit side by side are turned; numbers are thinned out.
  const turned = names.some(([v, said], i) => /[a-z]/i.test(said) && i && x(v) - x(names[i - 1][0]) < size(said));
  const lines = Math.max(1, ...names.map(([, said]) => said.split("\n").length));
  const bottom = (turned ? 16 + 5.2 * Math.max(...names.map(([, said]) => said.length)) : 11 + 13 * lines) + (panel.x.title ? 18 : 0), top = 12;
  const y = report.scale(panel.y, height - bottom, top);
  const svg = report.svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "panel", "aria-hidden": "true" });
  const clip = `clip-${element.parentElement.id}`;
  svg.append(report.svg("clipPath", { id: clip }, report.svg("rect", { x: left, y: top - 4, width: width - right - left + 6, height: height - bottom - top + 8 })));
  const text = (at, up, said, more = {}) => report.svg("text", { x: at, y: up, ...more }, said);
  for (const [v, said] of yTicks) {
    svg.append(report.svg("line", { x1: left, x2: width - right, y1: y(v), y2: y(v), class: v === 0 && panel.y.limits[0] < 0 ? "zero" : "grid" }));
    svg.append(text(left - 6, y(v) + 4, said.length > most ? `${said.slice(0, most - 1)}…` : said, { "text-anchor": "end" }));
  }
  const room = Math.max(2, Math.floor((width - left) / 62));
  const xTicks = panel.x.ticks ?? report.nice(...panel.x.limits, room).filter((v) => !panel.years || Number.isInteger(v)).map((v) => [v, panel.years ? String(v) : report.number(v)]);
  let last = -100;
  for (const [v, said] of xTicks) {
    svg.append(report.svg("line", { x1: x(v), x2: x(v), y1: height - bottom, y2: height - bottom + 4, class: "tick" }));
    const parts = said.split("\n"), foot = height - bottom + 14;
    if (turned) svg.append(text(0, 0, parts.join(" "), { "text-anchor": "end", transform: `translate(${x(v) + 4} ${foot}) rotate(-60)` }));
    if (turned || x(v) - last < size(said)) continue;
    last = x(v);
    parts.forEach((part, i) => svg.append(text(x(v), height - bottom + 17 + 13 * i, part, { "text-anchor": x(v) > width - 22 ? "end" : "middle" })));
  }
  const half = 3.2 * (panel.x.title?.length ?? 0);
  if (panel.x.title) svg.append(text(Math.min((left + width - right) / 2, width - half), height - 5, panel.x.title, { "text-anchor": "middle", class: "title" }));
  if (panel.y.title && !panel.y.ticks) svg.append(text(0, 0, panel.y.title, { class: "title", "text-anchor": "middle", transform: `translate(12 ${(top + height - bottom) / 2}) rotate(-90)` }));
  svg.append(report.svg("line", { x1: left, x2: width - right, y1: height - bottom, y2: height - bottom, class: "axis" }));
  const inside = report.svg("g", { "clip-path": `url(#${clip})` });
  svg.append(inside);
  const path = (m) => {
    let out = "", pen = "M";
    const open = (i) => m.x[i] == null || m.y[i] == null;
    m.x.forEach((v, i) => { if (open(i)) pen = "M"; else if (panel.years && m.k === "l" && open(i - 1) && open(i + 1)) out += `M${x(v - 0.25)},${y(m.y[i])}H${x(v + 0.25)}`; else { out += `${pen}${x(v).toFixed(1)},${y(m.y[i]).toFixed(1)}`; pen = "L"; } });
    return out;
  };
  for (const m of panel.marks) {
    const colour = report.paint(m.c);
    if (!m.x?.length && m.k !== "t") continue;
    if (m.k === "a") inside.append(report.svg("path", { d: `${path(m)}Z`, style: `fill:${colour};fill-opacity:${m.o ?? 1}` }));
    if (m.k === "l") inside.append(report.svg("path", { d: path(m), class: "line", style: `stroke:${colour};stroke-width:${m.w ?? 1.5}`, "stroke-dasharray": report.dashes[m.d] ?? "none" }));
    if (m.k === "t") inside.append(text(x(m.x), y(m.y) + 4, m.t, { "text-anchor": { left: "start", right: "end" }[m.g] ?? "middle", style: `fill:${colour}` }));
    if (m.k !== "p") continue;
    m.x.forEach((v, i) => {
      if (v === null || m.y[i] === null) return;
      if (m.lo?.[i] != null && m.hi?.[i] != null) inside.append(report.svg("line", { x1: x(v), x2: x(v), y1: y(m.lo[i]), y2: y(m.hi[i]), style: `stroke:${colour};stroke-width:1.4` }));
      inside.append(report.svg("path", { d: report.symbols[m.s](4), transform: `translate(${x(v).toFixed(1)} ${y(m.y[i]).toFixed(1)})`, style: report.ofPoint(m, colour) }));
    });
  }
  if (panel.cut) svg.append(text(width - right, top + 6, panel.cut, { "text-anchor": "end", class: "cut halo" }));
  report.hover(svg, panel, x, y, { top, bottom: height - bottom });
  element.replaceChildren(svg);
};

report.kinds.panel = (element, spec) => {
  const { panel } = spec;
  element.table = () => ({ unit: spec.unit || panel.y.title || "", columns: ["series", panel.years ? "year" : panel.x.title || "x", "y", "low", "high", "text"],
    rows: panel.marks.filter((m) => m.h && m.x).flatMap((m) => m.x.map((x, i) => [m.n ?? "", x, m.y[i], m.lo?.[i], m.hi?.[i], m.h[i]])) });
  report.panel(element, panel);
};
