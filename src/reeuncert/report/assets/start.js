report.setTheme = (dark) => {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  const button = document.getElementById("theme");
  button.setAttribute("aria-pressed", String(dark));
};

// A link to a check, a figure of evidence or a table opens what hides it.
report.reveal = () => {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1).split("&")[0]));
  if (!target) return;
  if (target.matches("figure.fig")) report.draw(target);
  for (let e = target; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
  if (target.tagName === "TR") {
    target.hidden = false;
    target.tabIndex = -1;
    target.focus();
    target.scrollIntoView({ block: "center" });
  }
};

report.start = () => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  report.setTheme(dark.matches);
  dark.addEventListener("change", () => report.setTheme(dark.matches));
  document.getElementById("theme").addEventListener("click", () => report.setTheme(document.documentElement.dataset.theme !== "dark"));
  report.startTables();
  report.startTerms();
  report.startAnchors();
  report.startShare();
  const figures = report.all("figure.fig");
  const observer = new IntersectionObserver((seen) => {
    for (const entry of seen) if (entry.isIntersecting) { observer.unobserve(entry.target); report.draw(entry.target); }
  }, { rootMargin: "400px 0px" });
  figures.forEach((figure) => observer.observe(figure));
  const print = (printing) => {
    const { dataset } = document.documentElement;
    report.printing = printing;
    if (printing) [report.theme, dataset.theme] = [dataset.theme, "light"];
    else dataset.theme = report.theme;
    if (printing) figures.forEach((figure) => report.draw(figure));
    report.all(".plot").forEach((element) => element.redraw?.());
  };
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
  const entries = new Map(report.all("nav a").map((a) => [a.hash.slice(1), a]));
  const places = new IntersectionObserver((seen) => {
    for (const { target, isIntersecting } of seen) entries.get(target.id)?.toggleAttribute("aria-current", isIntersecting);
  }, { rootMargin: "-20% 0px -70% 0px" });
  report.all("main > section").forEach((section) => places.observe(section));
  addEventListener("hashchange", report.reveal);
  report.reveal();
};

report.start();
