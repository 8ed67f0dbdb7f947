// Regions on a circle, an arrow for each pair; drawn as plain SVG, so that it can be large on a phone too.
report.kinds.triangle = (element, spec, controls) => {
  const years = report.fans().years;
  const step = report.make("input", { type: "range", id: "triangle-year", min: 0, max: years.length - 1, step: 1, value: years.length - 1 });
  const shown = report.make("output", { id: "triangle-shown", htmlFor: step.id });
  const products = report.select("triangle-product", spec.products.map((name) => [name, name === "all" ? "all products" : name]));
  products.value = spec.start;
  const shares = report.select("triangle-share", Object.entries(spec.shares));
  controls.append(...report.named("Year", step), shown, ...report.named("Product", products), ...report.named("Trade", shares));
  for (const input of [step, products, shares]) input.addEventListener("input", () => draw());
  const values = () => {
    const t = Number(step.value), product = products.value;
    const share = report.fans().indicators.find((i) => i.name === shares.value);
    const mass = (at) => spec.masses[shares.value].find((one) => one.at.every((label, i) => label === at[i]))?.m[t] ?? 0;
    const found = share.series.filter((s) => s.at[2] === product && s.q[3][t] !== null).map((s) => ({
      to: s.at[0], from: s.at[1], median: s.q[3][t], low: s.q[0][t], high: s.q[6][t],
      prior: s.p ? [s.p[0][t], s.p[2][t]] : null, mass: mass(s.at) }));
    return { year: years[t], product, unit: spec.unit, found };
  };
  const told = (f) => report.number(f.median, true, f.high - f.low);
  const draw = () => {
    const { year, unit, found } = values();
    const width = Math.max(300, element.clientWidth), height = width < 560 ? 380 : 460;
    element.style.height = element.style.minHeight = `${height}px`;
    shown.textContent = year;
    step.setAttribute("aria-valuetext", String(year));
    const n = spec.regions.length, rx = Math.min(width / 2 - 70, 400), ry = height / 2 - 62;
    const place = spec.regions.map((_, i) => {
      const angle = -Math.PI / 2 + (2 * Math.PI * i) / n;
      return { x: width / 2 + rx * Math.cos(angle), y: height / 2 + 12 + ry * Math.sin(angle) };
    });
    const picture = report.svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "triangle", "aria-hidden": "true" });
    const most = Math.max(...found.map((f) => f.mass), 1e-12);
    for (const arrow of found) {
      if (!(arrow.median > 0)) continue;
      const i = spec.regions.indexOf(arrow.from), j = spec.regions.indexOf(arrow.to);
      if (i < 0 || j < 0) continue;
      const a = place[i], b = place[j], dx = b.x - a.x, dy = b.y - a.y, length = Math.hypot(dx, dy) || 1;
      const ux = dx / length, uy = dy / length, bend = Math.min(46, 0.16 * length), gap = 38;
      // Both directions of a pair bend to their own side.
      const start = { x: a.x + gap * ux - 8 * uy, y: a.y + gap * uy + 8 * ux }, end = { x: b.x - gap * ux - 8 * uy, y: b.y - gap * uy + 8 * ux };
      const middle = { x: (start.x + end.x) / 2 - bend * uy, y: (start.y + end.y) / 2 + bend * ux };
      const wide = Math.max(1.5, (width < 560 ? 13 : 22) * arrow.mass / most), hue = `var(--hue-${i % 9})`;
      const path = `M${start.x},${start.y} Q${middle.x},${middle.y} ${end.x},${end.y}`;
      picture.append(report.svg("path", { d: path, fill: "none", style: `stroke:${hue}`, "stroke-width": wide, "stroke-opacity": 0.55 }));
      const tx = end.x - middle.x, ty = end.y - middle.y, tl = Math.hypot(tx, ty) || 1, h = Math.max(8, wide * 0.85 + 4);
      const vx = tx / tl, vy = ty / tl;
      picture.append(report.svg("path", { d: `M${end.x + h * vx},${end.y + h * vy} L${end.x - h * vy},${end.y + h * vx} L${end.x + h * vy},${end.y - h * vx} Z`, style: `fill:${hue}` }));
      // Labels stand beside their arrow, on its outer side, nearer to its lower end, where there is room; on a phone those that rise and fall differ in height.
      const narrow = width < 560, t = uy < -0.3 ? (narrow ? 0.7 : 0.38) : uy > 0.3 ? (narrow ? 0.56 : 0.62) : 0.5, r = 1 - t;
      const off = wide / 2 + 7;
      const at = { x: r * r * start.x + 2 * r * t * middle.x + t * t * end.x - off * uy, y: r * r * start.y + 2 * r * t * middle.y + t * t * end.y + off * ux };
      const side = Math.abs(uy) > 0.3 ? (uy > 0 ? "end" : "start") : "middle";
      const drop = Math.abs(uy) > 0.3 ? 4 : ux > 0 ? 12 : 0;
      const interval = `(${report.interval(100 * arrow.low, 100 * arrow.high)})`, up = narrow && drop === 0 ? 12 : 0;
      picture.append(report.svg("text", { x: at.x, y: at.y + drop - up, "text-anchor": side, class: "halo" },
        ...(narrow ? [told(arrow), report.svg("tspan", { x: at.x, dy: "1.1em", "font-size": "85%" }, interval)] : [`${told(arrow)} ${interval}`])));
    }
    spec.regions.forEach((name, i) => {
      picture.append(report.svg("circle", { cx: place[i].x, cy: place[i].y, r: 9, style: `fill:var(--hue-${i % 9})` }));
      const below = place[i].y > height / 2;
      picture.append(report.svg("text", { x: place[i].x, y: place[i].y + (below ? 28 : -16), "text-anchor": "middle", class: "name halo" }, name));
    });
    element.replaceChildren(picture);
    const table = document.getElementById("triangle-values");
    const heads = ["Importer", "Exporter", `Share of imports, ${year}`, "90 % interval", "Prior, 90 %", `Mass (${unit}), median`];
    table.tHead.replaceChildren(report.row(heads, "th", { scope: "col" }));
    table.tBodies[0].replaceChildren(...found.map((f) => report.row([f.to, f.from, told(f), report.interval(f.low, f.high, true), f.prior ? report.interval(f.prior[0], f.prior[1], true) : "", report.number(f.mass)])));
  };
  element.table = () => {
    const { year, product, unit, found } = values();
    return { unit, columns: ["year", "product", "importer", "exporter", "share 5 %", "share median", "share 95 %", `mass (${unit}), median`], rows: found.map((f) => [year, product, f.to, f.from, f.low, f.median, f.high, f.mass]) };
  };
  report.sized(element, draw);
};
