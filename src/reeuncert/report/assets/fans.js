report.fans = () => {
  if (!report.fanData) report.fanData = JSON.parse(document.getElementById("fan-data").textContent);
  return report.fanData;
};

report.findSeries = (name, at) => {
  const indicator = report.fans().indicators.find((i) => i.name === name);
  const series = indicator?.series.find((s) => s.at.join("\u0000") === at.join("\u0000"));
  if (!series) throw new Error(`this result has no value of '${name}' for ${at.join(", ") || "the world"}.`);
  return { indicator, series };
};

// One closed shape for each run of years without a gap; a year alone becomes a narrow box.
report.band = (years, low, high, colour) => {
  const x = [], y = [];
  const close = (from, to) => {
    const side = to - from === 1 ? 0.25 : 0;
    const along = side ? [years[from] - side, years[from] + side] : years.slice(from, to);
    const upper = side ? [high[from], high[from]] : high.slice(from, to);
    const lower = side ? [low[from], low[from]] : low.slice(from, to);
    x.push(...along, ...[...along].reverse(), null);
    y.push(...upper, ...[...lower].reverse(), null);
  };
  let start = -1;
  for (let i = 0; i <= years.length; i++) {
    const there = i < years.length && low[i] !== null && high[i] !== null;
    if (there && start < 0) start = i;
    if (!there && start >= 0) { close(start, i); start = -1; }
  }
  return { x, y, fill: "toself", fillcolor: colour, line: { width: 0 }, mode: "lines", hoverinfo: "skip", showlegend: false };
};

report.fanTraces = (years, indicator, series) => {
  const scale = indicator.percent ? 100 : 1;
  const scaled = (row) => row.map((v) => (v === null ? null : scale * v));
  const q = series.q.map(scaled), p = series.p?.map(scaled), traces = [];
  const hue = report.colour("series"), before = report.colour("prior");
  if (p) {
    traces.push(report.band(years, p[0], p[2], report.colour("prior-band")));
    traces.push({ x: years, y: p[1], mode: "lines", line: { color: before, width: 1.2, dash: "dot" }, hoverinfo: "skip", showlegend: false });
  }
  for (const [low, high, name] of [[0, 6, "band-90"], [1, 5, "band-80"], [2, 4, "band-50"]]) {
    traces.push(report.band(years, q[low], q[high], report.colour(name)));
  }
  const told = years.map((year, i) => {
    const lines = [`<b>${year}: ${report.number(series.q[3][i], indicator.percent)}</b>`];
    lines.push(`90 %: ${report.interval(series.q[0][i], series.q[6][i], indicator.percent)}`);
    lines.push(`50 %: ${report.interval(series.q[2][i], series.q[4][i], indicator.percent)}`);
    if (series.p) lines.push(`prior, 90 %: ${report.interval(series.p[0][i], series.p[2][i], indicator.percent)}`);
    return lines.join("<br>");
  });
  traces.push({ x: years, y: q[3], mode: "lines+markers", line: { color: hue, width: 2 }, marker: { size: 4, color: hue }, text: told, hovertemplate: "%{text}<extra></extra>", name: "median", showlegend: false });
  for (const point of series.points ?? []) {
    traces.push({
      x: point.to > point.from ? [point.from, point.to] : [point.from], y: point.to > point.from ? [scale * point.value, scale * point.value] : [scale * point.value],
      mode: point.to > point.from ? "lines+markers" : "markers", line: { color: report.colour("point"), width: 1.5, dash: "dash" },
      marker: { symbol: "diamond", size: 9, color: report.colour("point"), line: { color: report.colour("ground"), width: 1 } },
      name: `published: ${report.escaped(point.source)}`, legendgroup: point.source,
      showlegend: !traces.some((t) => t.legendgroup === point.source),
      hovertemplate: `${report.escaped(point.text)}<br><b>${report.number(point.value, indicator.percent)}</b><extra></extra>`,
    });
  }
  return traces;
};

// All of the posterior and the points, not all of the prior: a wide prior would make a flat line of the posterior.
report.fanRange = (indicator, series) => {
  const scale = indicator.percent ? 100 : 1;
  const finite = (rows) => rows.flat().filter((v) => v !== null);
  const own = [...finite([series.q[0], series.q[6]]), ...(series.points ?? []).map((p) => p.value)];
  let top = Math.max(...own), low = Math.min(...own, 0);
  const reach = top - low || 1;
  if (series.p) {
    top = Math.max(top, Math.min(Math.max(...finite([series.p[2]])), top + 0.6 * reach));
    low = Math.min(low, Math.max(Math.min(...finite([series.p[0]])), low - 0.6 * reach));
  }
  return [scale * (low < 0 ? low - 0.04 * reach : 0), scale * (top + 0.06 * reach)];
};

report.fanLayout = (indicator, range, legend) => ({
  margin: { l: 58, r: 12, t: 10, b: legend ? 70 : 34 }, hovermode: "closest", showlegend: legend,
  legend: { orientation: "h", y: -0.18, font: { size: 11 } },
  xaxis: { tickformat: "d", fixedrange: true, automargin: true },
  yaxis: { range, fixedrange: true, title: { text: indicator.percent ? "%" : report.escaped(indicator.unit === "1" ? "index" : indicator.unit) }, zeroline: true },
});

report.drawFan = (element, name, at) => {
  const { indicator, series } = report.findSeries(name, at);
  const layout = report.fanLayout(indicator, report.fanRange(indicator, series), Boolean(series.points));
  return report.plotly().react(element, report.fanTraces(report.fans().years, indicator, series), report.themed(layout), report.config);
};

report.kinds.fan = (element, spec) => report.drawFan(element, spec.indicator, spec.at);

report.kinds.stack = (element, spec) => {
  const years = report.fans().years;
  let unit = "";
  const traces = spec.series.map((at, i) => {
    const { indicator, series } = report.findSeries(spec.indicator, at);
    unit = indicator.unit;
    const told = years.map((year, t) => `${report.escaped(at[at.length - 1])}, ${year}<br><b>${report.number(series.q[3][t])}</b> (${report.interval(series.q[0][t], series.q[6][t])})`);
    const hue = report.colour(`hue-${spec.hues[i] % 9}`);
    return { x: years, y: series.q[3], stackgroup: "all", name: report.escaped(at[at.length - 1]), line: { width: 0.8, color: report.colour("ground") }, fillcolor: hue, text: told, hovertemplate: "%{text}<extra></extra>" };
  });
  const layout = { margin: { l: 58, r: 12, t: 10, b: 34 }, hovermode: "closest", showlegend: false, xaxis: { tickformat: "d", fixedrange: true }, yaxis: { fixedrange: true, rangemode: "tozero", title: { text: report.escaped(unit) } } };
  return report.plotly().react(element, traces, report.themed(layout), report.config);
};

// Any indicator: one list of indicators and one for each of its labels; the values stand below as a table.
report.kinds.explorer = (element, spec, controls, again) => {
  const data = report.fans();
  const figure = controls.parentElement;
  if (!again) {
    const list = report.make("select", { id: "explorer-indicator" });
    for (const i of data.indicators) list.append(report.make("option", { value: i.name }, i.title));
    controls.append(report.make("label", { htmlFor: "explorer-indicator" }, "Indicator"), list);
    controls.append(report.make("span", { className: "labels" }));
    const table = report.make("div", { className: "scroll tall", tabIndex: 0, "aria-label": "Values of the indicator chosen", role: "region" });
    figure.append(report.make("details", { className: "values" }, report.make("summary", {}, "Values as a table"), table));
    list.addEventListener("change", () => choose(null));
    if (spec.start) list.value = spec.start[0];
  }
  const list = report.one("#explorer-indicator", controls), labels = report.one(".labels", controls);
  const chosen = () => report.all("select", labels).map((s) => s.value);
  const show = () => {
    const drawn = report.drawFan(element, list.value, chosen());
    const { indicator, series } = report.findSeries(list.value, chosen());
    element.setAttribute("aria-label", `Fan chart of ${[indicator.title, ...chosen()].join(", ")} over the years; the table below has its values.`);
    const head = report.make("tr", {}, ...["Year", `Median (${indicator.percent ? "%" : indicator.unit})`, "90 %", "50 %", "Prior, 90 %"].map((t) => report.make("th", { scope: "col" }, t)));
    const rows = data.years.map((year, t) => report.make("tr", {}, ...[String(year), report.number(series.q[3][t], indicator.percent), report.interval(series.q[0][t], series.q[6][t], indicator.percent), report.interval(series.q[2][t], series.q[4][t], indicator.percent), series.p ? report.interval(series.p[0][t], series.p[2][t], indicator.percent) : ""].map((text) => report.make("td", { className: "num" }, text))));
    report.one(".values .scroll", figure).replaceChildren(report.make("table", {}, report.make("thead", {}, head), report.make("tbody", {}, ...rows)));
    return drawn;
  };
  // Each list offers only what exists together with the labels chosen before it.
  const choose = (wanted) => {
    const indicator = data.indicators.find((i) => i.name === list.value);
    const before = wanted ?? chosen();
    labels.replaceChildren();
    let left = indicator.series;
    indicator.dims.forEach((dim, d) => {
      const options = [...new Set(left.map((s) => s.at[d]))];
      const select = report.make("select", { id: `explorer-${dim}` });
      for (const option of options) select.append(report.make("option", { value: option }, option));
      const preferred = wanted ? wanted[d] : before.find((b) => options.includes(b));
      if (options.includes(preferred)) select.value = preferred;
      left = left.filter((s) => s.at[d] === select.value);
      select.addEventListener("change", () => choose(chosen()));
      labels.append(report.make("label", { htmlFor: select.id }, dim.replace("_", " ")), select);
    });
    return show();
  };
  const focused = document.activeElement?.id;
  const result = again ? show() : choose(spec.start ? spec.start[1] : null);
  if (focused?.startsWith("explorer-")) document.getElementById(focused)?.focus();
  return result;
};
