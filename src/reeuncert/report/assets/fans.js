report.fans = () => (report.fanData ??= JSON.parse(document.getElementById("fan-data").textContent));

report.findSeries = (name, at) => {
  const indicator = report.fans().indicators.find((i) => i.name === name);
  const series = indicator?.series.find((s) => s.at.join("\u0000") === at.join("\u0000"));
  if (!series) throw new Error(`this result has no value of '${name}' for ${at.join(", ") || "the world"}.`);
  return { indicator, series };
};

// One closed shape for each run of years without a gap; a year alone becomes a narrow box.
report.bands = (years, low, high, colour, opacity) => {
  const out = [];
  const close = (from, to) => {
    const alone = to - from === 1;
    const along = alone ? [years[from] - 0.25, years[from] + 0.25] : years.slice(from, to);
    const upper = alone ? [high[from], high[from]] : high.slice(from, to), lower = alone ? [low[from], low[from]] : low.slice(from, to);
    out.push({ k: "a", x: [...along, ...[...along].reverse()], y: [...upper, ...[...lower].reverse()], c: colour, o: opacity });
  };
  let start = -1;
  for (let i = 0; i <= years.length; i++) {
    const there = i < years.length && low[i] !== null && high[i] !== null;
    if (there && start < 0) start = i;
    if (!there && start >= 0) { close(start, i); start = -1; }
  }
  return out;
};

// All of the posterior and the points, not all of the prior: a wide prior would make a flat line of the posterior.
report.fanRange = (q, p, points) => {
  const finite = (rows) => rows.flat().filter((v) => v !== null);
  const own = [...finite([q[0], q[q.length - 1]]), ...points.map((v) => v.value)];
  let top = Math.max(...own), low = Math.min(...own, 0);
  const reach = top - low || 1;
  const ends = p ? [Math.min(...finite([p[0]])), Math.max(...finite([p[2]]))] : [low, top];
  top = Math.max(top, Math.min(ends[1], top + 0.6 * reach));
  low = Math.min(low, Math.max(ends[0], low - 0.6 * reach));
  return { limits: [low < 0 ? low - 0.04 * reach : 0, top + 0.06 * reach], above: ends[1] > top + 0.06 * reach ? ends[1] : null, below: ends[0] < low - 0.04 * reach ? ends[0] : null };
};

report.unitOf = ({ percent, unit }) => (percent ? "%" : unit === "1" ? "index" : unit);

// Panel of a series: three quantiles of the prior behind three or seven of the posterior.
report.fanPanel = (years, indicator, series, together = []) => {
  const scale = indicator.percent ? 100 : 1, unit = report.unitOf(indicator);
  const scaled = (row) => row.map((v) => (v === null ? null : scale * v));
  const q = series.q.map(scaled), p = series.p?.map(scaled), n = q.length, middle = (n - 1) / 2;
  const points = (series.points ?? []).map((v) => ({ ...v, value: scale * v.value }));
  const range = report.fanRange(q, p, points), marks = [];
  // Panels side by side have one axis.
  for (const other of together) {
    const { limits } = report.fanRange(other.q.map(scaled), other.p?.map(scaled), []);
    range.limits = [Math.min(range.limits[0], limits[0]), Math.max(range.limits[1], limits[1])];
  }
  if (range.above <= range.limits[1]) range.above = null;
  if (range.below >= range.limits[0]) range.below = null;
  if (p) marks.push(...report.bands(years, p[0], p[2], "prior", 0.16), { k: "l", x: years, y: p[1], c: "prior", w: 1.2, d: "dot" });
  for (let i = 0; i < middle; i++) marks.push(...report.bands(years, q[i], q[n - 1 - i], "series", 0.17));
  const said = (rows, t, a, b) => report.interval(rows[a][t], rows[b][t]) + (unit === "index" ? "" : ` ${unit}`);
  const told = years.map((_, t) => (q[middle][t] === null ? "" : [
    `median ${report.number(q[middle][t], false, q[n - 1][t] - q[0][t])} ${unit}`, `90 %: ${said(q, t, 0, n - 1)}`,
    ...(n > 3 ? [`50 %: ${said(q, t, 2, 4)}`] : []), ...(p ? [`prior, 90 %: ${said(p, t, 0, 2)}`] : [])].join("\n")));
  marks.push({ k: "l", x: years, y: q[middle], c: "series", w: 2, h: told });
  for (const point of points) {
    const several = point.to > point.from, x = several ? [point.from, point.to] : [point.from], y = x.map(() => point.value);
    if (several) marks.push({ k: "l", x, y, c: "point", d: "dash" });
    marks.push({ k: "p", s: "diamond", x, y, c: "point", n: `published: ${point.source}`, h: x.map(() => `${point.text}\n${report.number(point.value)} ${unit}`) });
  }
  const cut = [range.above !== null && `up to ${report.number(range.above)}`, range.below !== null && `down to ${report.number(range.below)}`].filter(Boolean);
  const span = years.length > 1 ? [years[0] - 0.3, years[years.length - 1] + 0.3] : [years[0] - 0.6, years[0] + 0.6];
  return { years: true, x: { limits: span }, y: { limits: range.limits, title: unit }, marks, cut: cut.length ? `prior: ${cut.join(", ")} ${unit}` : "" };
};

report.fanRows = (years, indicator, series) => {
  const n = series.q.length, scale = indicator.percent ? 100 : 1, unit = report.unitOf(indicator);
  const names = n === 7 ? ["5 %", "10 %", "25 %", "median", "75 %", "90 %", "95 %"] : ["5 %", "median", "95 %"];
  const columns = ["year", "unit", ...names, ...(series.p ? ["prior 5 %", "prior median", "prior 95 %"] : [])];
  const values = [...series.q, ...(series.p ?? [])];
  return { unit, columns, rows: years.map((year, t) => [year, unit, ...values.map((row) => (row[t] === null ? "" : scale * row[t]))]) };
};

report.drawFan = (element, name, at, together = []) => {
  const { indicator, series } = report.findSeries(name, at), years = report.fans().years;
  element.table = () => report.fanRows(years, indicator, series);
  report.panel(element, report.fanPanel(years, indicator, series, together.map((other) => report.findSeries(name, other).series)));
};

report.kinds.fan = (element, spec) => report.drawFan(element, spec.indicator, spec.at, spec.together);

// Medians of parts on one another: their sum is not the median of the sum, which the fans above give.
report.kinds.stack = (element, spec) => {
  const years = report.fans().years, low = years.map(() => 0), marks = [], rows = [];
  let unit = "";
  spec.series.forEach((at, i) => {
    const { indicator, series } = report.findSeries(spec.indicator, at), name = at[at.length - 1];
    unit = indicator.unit;
    const high = low.map((v, t) => v + (series.q[3][t] ?? 0));
    marks.push(...report.bands(years, [...low], high, `use-${spec.hues[i] % 9}`, 0.9));
    marks.push({ k: "l", x: years, y: high, c: "ground", w: 0.8, h: years.map((_, t) => `${name}: ${report.number(series.q[3][t])} ${unit} (${report.interval(series.q[0][t], series.q[6][t])})`) });
    years.forEach((year, t) => { low[t] = high[t]; rows.push([year, name, unit, series.q[3][t], series.q[0][t], series.q[6][t]]); });
  });
  element.table = () => ({ unit, columns: ["year", "end use", "unit", "median", "5 %", "95 %"], rows });
  const span = years.length > 1 ? [years[0], years[years.length - 1]] : [years[0] - 0.6, years[0] + 0.6];
  report.panel(element, { years: true, x: { limits: span }, y: { limits: [0, 1.05 * Math.max(...low, 1e-9)], title: unit }, marks });
};

// Any indicator: one list of indicators and one for each of its labels; the values stand below as a table.
report.kinds.explorer = (element, spec, controls) => {
  const data = report.fans(), figure = controls.parentElement;
  const list = report.select("explorer-indicator", data.indicators.map((i) => [i.name, i.title]));
  const labels = report.make("span", { className: "labels" });
  controls.append(...report.named("Indicator", list), labels);
  const values = report.make("div", { className: "scroll tall", tabIndex: 0, "aria-label": "Values of the indicator chosen", role: "region" });
  figure.append(report.make("details", { className: "values" }, report.make("summary", {}, "Values as a table"), values));
  const chosen = () => report.all("select", labels).map((s) => s.value);
  const show = () => {
    report.drawFan(element, list.value, chosen());
    const { indicator, series } = report.findSeries(list.value, chosen()), percent = indicator.percent;
    element.setAttribute("aria-label", `Fan chart of ${[indicator.title, ...chosen()].join(", ")} over the years; the table below has its values.`);
    const head = report.row(["Year", `Median (${percent ? "%" : indicator.unit})`, "90 %", "50 %", "Prior, 90 %"], "th", { scope: "col" });
    const rows = data.years.map((year, t) => [String(year), report.number(series.q[3][t], percent), report.interval(series.q[0][t], series.q[6][t], percent), report.interval(series.q[2][t], series.q[4][t], percent), series.p ? report.interval(series.p[0][t], series.p[2][t], percent) : ""]);
    values.replaceChildren(report.make("table", {}, report.make("thead", {}, head), report.make("tbody", {}, ...rows.map((row) => report.row(row, "td", { className: "num" })))));
  };
  // Each list offers only what exists together with the labels chosen before it.
  const choose = (wanted) => {
    const indicator = data.indicators.find((i) => i.name === list.value), before = wanted ?? chosen(), focused = document.activeElement?.id;
    labels.replaceChildren();
    let left = indicator.series;
    indicator.dims.forEach((dim, d) => {
      const options = [...new Set(left.map((s) => s.at[d]))], select = report.select(`explorer-${dim}`, options.map((v) => [v, v]));
      const preferred = wanted ? wanted[d] : before.find((b) => options.includes(b));
      if (options.includes(preferred)) select.value = preferred;
      left = left.filter((s) => s.at[d] === select.value);
      select.addEventListener("change", () => choose(chosen()));
      labels.append(...report.named(dim.replace("_", " "), select));
    });
    if (focused?.startsWith("explorer-")) document.getElementById(focused)?.focus();
    show();
  };
  list.addEventListener("change", () => choose(null));
  if (spec.start) list.value = spec.start[0];
  choose(spec.start ? spec.start[1] : null);
};
