// Sankey diagram: places come with the page; ribbons are opaque mixtures with the ground, so that crossings do not add up.
report.ribbon = (x0, x1, a, b, h) => {
  const m = (x0 + x1) / 2;
  return `M${x0},${a}C${m},${a} ${m},${b} ${x1},${b}V${b + h}C${m},${b + h} ${m},${a + h} ${x0},${a + h}Z`;
};

report.kinds.sankey = (element, spec, controls) => {
  const figure = controls.parentElement, one = report.one;
  const range = report.make("input", { type: "range", id: "sankey-step", min: 0, max: spec.steps.length - 1, step: 1, value: spec.start });
  const shown = report.make("output", { id: "sankey-step-shown", htmlFor: range.id });
  controls.append(...report.named("Year", range), shown);
  const chosen = {};
  const add = (name, select) => {
    controls.append(report.make("span", { className: "pair" }, ...report.named(name[0].toUpperCase() + name.slice(1), select)));
    select.addEventListener("change", () => draw());
    chosen[name] = select;
  };
  for (const [name, values] of [["region", spec.regions], ["product", spec.products]]) {
    if (values.length > 1) add(name, report.select(`sankey-${name}`, [["", `all ${name}s`], ...values.map((v) => [v, v])]));
  }
  if (spec.views.length > 1) {
    add("rows", report.select("sankey-rows", [["", "largest regions"], ["1", "every region"]]));
    chosen.region.addEventListener("change", () => spec.others.includes(chosen.region.value) && unfold("1"));
  }
  const unfold = (value) => {
    if (chosen.rows.value === value) return;
    chosen.rows.value = value;
    for (const kind of ["input", "change"]) chosen.rows.dispatchEvent(new Event(kind, { bubbles: true }));
  };
  element.classList.add("scrolled");
  element.tabIndex = 0;
  element.setAttribute("role", "group");
  element.append(report.make("div", { className: "inner" }));
  const wanted = (name, values) => !chosen[name]?.value || values.includes(chosen[name].value);
  const draw = () => {
    const t = Number(range.value), step = spec.steps[t], inner = one(".inner", element);
    const folded = chosen.rows?.value === "", view = spec.views[Number(chosen.rows?.value ?? 0)], layout = view.layouts[view.layout[t]];
    shown.textContent = step;
    range.setAttribute("aria-valuetext", step);
    const width = Math.max(300, inner.clientWidth), height = view.height, top = 54, high = height - top - 30;
    const longest = Math.max(0, ...view.nodes.filter((n) => n.end).map((n) => n.name.length));
    const left = 4, wide = width - left - Math.max(60, 50 + 7 * longest), X = (v) => left + wide * v, Y = (v) => top + high * v, bar = 9;
    const svg = report.svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "sankey", "aria-hidden": "true" });
    const text = (x, y, said, more = {}) => svg.append(report.svg("text", { x, y, ...more }, said));
    const close = wide / view.headings.length < 84;  // every second heading stands higher
    view.headings.forEach(([x, said, traded], i) => text(X(x), close && i % 2 ? 13 : 27, said, { "text-anchor": i ? "middle" : "start", class: traded ? "quiet" : "name", style: "font-size: 11px" }));
    const order = view.links.filter((l) => l.m[t] > 0).sort((a, b) => b.m[t] - a.m[t]);
    for (const link of order) {
      const from = view.nodes[link.s], to = view.nodes[link.t], h = Math.max(0.6, link.m[t] * layout.scale * high);
      const faint = wanted("region", link.regions) && wanted("product", link.products) ? "" : " dimmed";
      const path = report.svg("path", { d: report.ribbon(X(from.x) + bar, X(to.x), Y(link.a[t]), Y(link.b[t]), h), class: `ribbon ${link.route}${faint}`, "data-link": link.i });
      path.style.setProperty("--own", report.paint(link.c));
      path.style.setProperty("--part", `${100 * link.o[t]}%`);
      svg.append(path);
    }
    for (const node of view.nodes) {
      if (node.y[t] === null) continue;
      const h = Math.max(1, node.v[t] * layout.scale * high), y = Y(node.y[t]);
      svg.append(report.svg("rect", { x: X(node.x), y, width: bar, height: h, style: `fill:${report.paint(node.c)}` }));
      const value = report.number(Number(node.v[t].toPrecision(2)));
      if (node.end) text(X(node.x) + bar + 5, y + h / 2 + 4, `${node.name} ${value}`, { class: "halo" });
      else if (h > 13) text(X(node.x) + bar + 4, y + Math.min(h - 3, 12), value, { class: "value halo" });
    }
    const unit = report.nice(0, 1 / layout.scale / 5, 4).pop(), size = unit * layout.scale * high;
    svg.append(report.svg("rect", { x: width - 20, y: height - size - 6, width: 7, height: size, class: "bar" }));
    text(width - 26, height - 10, `${report.number(unit)} ${spec.unit}${t === spec.steps.length - 1 && view.layouts.length > 1 ? ": the sum of all years has a scale of its own" : ""}`, { "text-anchor": "end", class: "quiet" });
    for (const [row, y] of layout.rows) {
      const folds = chosen.rows && spec.others.includes(row.split(", ")[0]);
      text(left, Y(y) - 6, folds ? `${folded ? "\u25B8" : "\u25BE"} ${row}` : row, { class: `name halo${folds ? " folds" : ""}` });
    }
    svg.addEventListener("pointermove", (event) => report.tip(event.target.dataset?.link ? told(view, view.links[event.target.dataset.link], t) : null, event));
    svg.addEventListener("pointerleave", () => report.tip(null));
    svg.addEventListener("click", ({ target }) => {
      if (target.dataset.link) document.dispatchEvent(new CustomEvent("report-ribbon", { detail: view.links[target.dataset.link] }));
      if (target.classList.contains("folds")) unfold(folded ? "1" : "");
    });
    inner.replaceChildren(svg);
    document.dispatchEvent(new CustomEvent("report-step", { detail: { label: step } }));
  };
  const told = ({ nodes }, link, t) => [
    `${nodes[link.s].name} → ${nodes[link.t].name}, ${spec.steps[t]}`, [link.route, link.label].filter(Boolean).join(", "),
    `mean ${report.number(link.m[t])} ${spec.unit}; 90 %: ${report.interval(link.q[0][t], link.q[2][t])} ${spec.unit}`,
    ...(link.p ? [`prior, 90 %: ${report.interval(link.p[0][t], link.p[2][t])} ${spec.unit}`] : []), "click: over the years"];
  spec.views.forEach((view) => view.links.forEach((link, i) => { link.i = i; }));
  element.table = () => {
    const columns = ["year", "from", "to", "route", "unit", "mean", "5 %", "median", "95 %"], rows = [];
    const { links, nodes } = spec.views.at(-1);
    spec.steps.forEach((step, t) => links.forEach((l) => { if (l.m[t] > 0) rows.push([step, nodes[l.s].name, nodes[l.t].name, l.route, spec.unit, l.m[t], l.q[0][t], l.q[1][t], l.q[2][t]]); }));
    return { unit: spec.unit, columns, rows };
  };
  range.addEventListener("input", draw);
  report.sized(element, draw);
};

// One flow: its fan, and what is known of it in the year that the diagram shows; or the ribbon that was clicked.
report.kinds.flow = (element, spec, controls) => {
  const figure = controls.parentElement, list = report.select("flow-chosen", []);
  controls.append(...report.named("Flow", list));
  const detail = report.make("div", { className: "detail", "aria-live": "polite" }), n = spec.years.length;
  element.before(detail);
  let step = report.one("#sankey-step-shown")?.textContent ?? String(spec.years[n - 1]);
  const at = () => spec.years.indexOf(Number(step));
  const values = (flow) => (at() < 0 ? [flow.all, flow.allp] : [flow.q.map((row) => row[at()]), flow.p?.map((row) => row[at()])]);
  const indicator = { unit: spec.unit, percent: false };
  const drawn = (series) => {
    element.table = () => report.fanRows(spec.years, indicator, series);
    report.panel(element, report.fanPanel(spec.years, indicator, series));
  };
  const fill = () => {
    const before = list.value;
    const there = spec.flows.filter((f) => values(f)[0][1] !== null && values(f)[0][2] > 0).sort((a, b) => values(b)[0][1] - values(a)[0][1]);
    list.replaceChildren(...report.options(there.map((f) => [f.name, `${f.label} (${report.number(values(f)[0][1])} ${spec.unit})`])));
    // The largest of which something was reported is the better example to begin with.
    const first = there.find((f) => f.said.length) ?? there[0];
    if (there.some((f) => f.name === before)) list.value = before;
    else if (first) list.value = first.name;
  };
  const show = () => {
    const flow = spec.flows.find((f) => f.name === list.value);
    if (!flow) { detail.textContent = "No flow in this year."; return; }
    const [q, p] = values(flow), year = spec.years[at()], when = year ?? `${spec.years[0]} to ${spec.years[n - 1]}`;
    const said = flow.said.filter(([, first, last]) => year === undefined || (first <= year && year <= last));
    const evidence = report.make("p", {}, said.length ? "Evidence on this flow: " : "No data measure this flow alone: it follows from the balance and the priors.");
    said.slice(0, 30).forEach(([id, first, last, source], i) => evidence.append(i ? ", " : "", report.make("a", { href: `#evidence-${id}` }, `${source} (${first === last ? first : `${first}–${last}`})`)));
    if (said.length > 30) evidence.append(` and ${said.length - 30} more`);
    detail.replaceChildren(
      report.make("p", {}, report.make("strong", {}, flow.label), ` from ${flow.way}${flow.note ? `: ${flow.note}` : ""}`),
      report.make("p", {}, `${when}: ${report.number(q[1], false, q[2] - q[0])} ${spec.unit}, 90 % interval ${report.interval(q[0], q[2])} ${spec.unit}`, p ? `; prior ${report.interval(p[0], p[2])} ${spec.unit}` : ""), evidence);
    drawn(flow);
  };
  list.addEventListener("change", show);
  document.addEventListener("report-step", (event) => { step = event.detail.label; fill(); show(); });
  document.addEventListener("report-ribbon", (event) => {
    const link = event.detail, cut = (rows) => rows?.map((row) => row.slice(0, n));
    detail.replaceChildren(report.make("p", {}, report.make("strong", {}, link.title), ` (${link.route}): a ribbon of the diagram, the sum of ${link.flows}`));
    drawn({ q: cut(link.q), p: cut(link.p) });
    figure.scrollIntoView({ block: "nearest", behavior: "smooth" });
  });
  fill();
  show();
};
