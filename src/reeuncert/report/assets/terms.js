// The first use of a term in each section says what it means; a case and the page list them under "Terms".
report.startTerms = () => {
  const meanings = new Map(report.all("#terms dt").map((dt) => [dt.textContent.toLowerCase(), dt.nextElementSibling.textContent]));
  if (!meanings.size) return;
  const escaped = [...meanings.keys()].sort((a, b) => b.length - a.length).map((t) => t.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const known = new RegExp(`(?<![\\w-])(${escaped.join("|")})(?![\\w-])`, "i");
  for (const section of report.all("main > section")) {
    const seen = new Set(), inside = "a, abbr, button, code, pre, summary, dl, script, svg, select, option, h2";
    const walker = document.createTreeWalker(section, NodeFilter.SHOW_TEXT, (node) => (node.parentElement.closest(inside) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT));
    for (let node = walker.nextNode(), count = 0; node && count < 4000; node = walker.nextNode(), count++) {
      const found = known.exec(node.data), term = found?.[1].toLowerCase();
      if (!found || seen.has(term)) continue;
      seen.add(term);
      const rest = node.splitText(found.index);
      rest.splitText(found[1].length);
      rest.replaceWith(report.make("abbr", { title: meanings.get(term) }, rest.data));
      if (seen.size === meanings.size) break;
    }
  }
};

// Every heading can be linked to.
report.startAnchors = () => {
  for (const heading of report.all("main h2, main h3[id]")) {
    const id = heading.tagName === "H2" ? heading.parentElement.id : heading.id;
    heading.append(report.make("a", { className: "anchor", href: `#${id}`, "aria-label": `Link to ${heading.textContent}` }, "#"));
  }
};
