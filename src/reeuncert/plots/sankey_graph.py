"""Which nodes and links a Sankey diagram of a system has: columns are stages, rows are regions and routes.

A process that only one market feeds is drawn as part of that market, all uses of a region as one node, and a market as
two: what it gets from its own region, and what it has after trade. What a stock gains or loses in a year leaves or
enters its market after trade, so that with means as widths every node balances. So every flow runs from left to
right, trade between regions shows as crossings between rows, and a year of a large system stays readable.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from reeuncert.case.records import Case
from reeuncert.system.definition import OUTSIDE, Flow

REGISTERED, UNREGISTERED, UNRECORDED, LOSS = "registered", "unregistered", "unrecorded", "loss"
STOCK = "stock"
SUPPLY, DISPOSAL, USE, END_USE, SOURCE = "supply", "disposal", "use", "end use", "source"
CROSSING = ("declared", "undeclared")
WHOLE = "system"  # row of processes without a region
OTHERS = "other regions"  # row of the regions that have none of their own


@dataclass(frozen=True)
class Node:
    """A place of the diagram: its row is ``region``, ``region, unregistered`` or empty; its stage heads the column."""

    name: str
    row: str
    stage: str
    side: str = ""


@dataclass(frozen=True)
class Link:
    """A ribbon of the diagram: the sum of some flows less that of others (what stays in a market after its imports),
    and less stocks at the end of the year ``before``; ``reverse`` changes the sign (what is taken from a stock).
    """

    source: Node
    target: Node
    route: str
    region: str
    flows: tuple[str, ...]
    minus: tuple[str, ...] = ()
    label: str = ""
    before: tuple[str, ...] = ()
    reverse: bool = False


@dataclass(frozen=True)
class Graph:
    """Nodes by column, and links."""

    columns: tuple[tuple[Node, ...], ...]
    headings: tuple[str, ...]
    rows: tuple[str, ...]
    links: tuple[Link, ...]

    @property
    def x(self) -> list[float]:
        """Places of the columns, from 0 to 1."""
        return [i / max(1, len(self.columns) - 1) for i in range(len(self.columns))]

    @property
    def x_of(self) -> dict[str, float]:
        """Name of a node → place of its column."""
        return {node.name: x for x, column in zip(self.x, self.columns, strict=True) for node in column}


def sankey_graph(case: Case) -> Graph:
    """The diagram of a case, the same in all years; a flow that closes a circle (recycling) runs backwards."""
    return _Builder(case).graph()


def folded(graph: Graph, alone: Collection[str]) -> Graph:
    """The diagram with a row for each region of `alone`, and one for the others with what they trade among them."""
    place: dict[Node, Node] = {}
    for i, column in enumerate(graph.columns):
        for node in column:
            region = node.row.removesuffix(f", {UNREGISTERED}")
            if region in (*alone, WHOLE, ""):
                place[node] = node
            else:
                row = OTHERS + node.row.removeprefix(region)
                place[node] = Node(f"{node.stage}|{node.side}|{row}|{i}", row, node.stage, node.side)
    links = []
    for link in graph.links:
        region = link.region if link.region in (*alone, "") else OTHERS
        links.append(replace(link, source=place[link.source], target=place[link.target], region=region))
    columns = tuple(tuple(dict.fromkeys(place[node] for node in column)) for column in graph.columns)
    rows = dict.fromkeys(node.row for column in columns for node in column)
    kept = [row for row in graph.rows if row in rows]
    kept += [row for row in (OTHERS, f"{OTHERS}, {UNREGISTERED}") if row in rows]
    return Graph(columns, graph.headings, tuple(kept), tuple(_merged(links)))


class _Builder:
    def __init__(self, case: Case) -> None:
        self.case = case
        self.flows = [f for f in case.system.flows if not f.is_stock]
        self.stocks: dict[str, list[str]] = {}
        self.opening: dict[str, list[str]] = {}
        for flow in case.system.flows:
            if flow.is_stock:
                self.stocks.setdefault(flow.from_process, []).append(flow.name)
            elif flow.quantity == "opening_stock":
                self.opening.setdefault(flow.to_process, []).append(flow.name)
        self.processes = {p.name: p for p in case.system.processes}
        self.markets = {p.name for p in case.system.processes if p.stage == "market"}
        self.home = {name: self._home(name) for name in self.processes}
        self.rows = self._rows()

    def graph(self) -> Graph:
        links = [link for flow in self.flows if (link := self._link(flow)) is not None]
        links += [*self._within_markets(links), *self._stock_changes({link.source.name for link in links})]
        merged = _merged(links)
        columns = _columns(merged)
        used = {node.row for column in columns for node in column if node.row}
        regions = dict.fromkeys((*self.case.regions, *(row.split(", ")[0] for row in self.rows.values())))
        every = (row for region in regions for row in (region, f"{region}, {UNREGISTERED}"))
        rows = tuple(row for row in every if row in used)
        return Graph(columns, tuple(_heading(c) for c in columns), rows, tuple(merged))

    def _home(self, name: str) -> str:
        """The market of which a process is drawn as a part: the only one that feeds it, or whose goods cross there."""
        into = [f for f in self.flows if f.to_process == name]
        givers = {f.from_process for f in into}
        merging = name not in self.markets and self.processes[name].stage != USE
        if merging and len(givers) == 1 and all(f.quantity in ("feed", "unrecorded_trade") for f in into):
            return next(iter(givers))
        return name

    def _rows(self) -> dict[str, str]:
        """Row of each process: its region, and whether only unregistered flows leave it."""
        rows = {}
        for name, process in self.processes.items():
            leaving = {f.route for f in self.flows if f.from_process == name and f.route}
            rows[name] = (process.region or WHOLE) + (f", {UNREGISTERED}" if leaving == {UNREGISTERED} else "")
        return rows

    def _product_of(self, market: str) -> str:
        named = [f.product for f in self.flows if market in (f.to_process, f.from_process) and f.product]
        return max(dict.fromkeys(named), key=named.count, default="")

    def _node(self, process: str, side: str) -> Node:
        home = self.home[process]
        row = self.rows[home]
        if home in self.markets:
            return Node(f"{home}|{side}", row, self._product_of(home), side)
        if self.processes[home].stage == USE:
            return Node(f"{USE}|{row}", row, USE)
        return Node(home, row, self.processes[home].stage or home.replace("_", " "))

    def _link(self, flow: Flow) -> Link | None:
        origin, target = flow.from_process, flow.to_process
        if origin == OUTSIDE:
            if flow.quantity in ("ore", "opening_stock") or target == OUTSIDE:
                return None
            arrival = self._node(target, SUPPLY)
            begin = Node(f"{SOURCE}|{flow.quantity}|{arrival.row}", arrival.row, flow.quantity, SOURCE)
            return Link(begin, arrival, _route(flow), flow.origin or self.processes[target].region, (flow.name,))
        if target != OUTSIDE and self.home[target] == self.home[origin]:
            return None
        begin = self._node(origin, DISPOSAL)
        region = self.processes[origin].region
        if target == OUTSIDE:
            if flow.end_use:
                end = Node(f"{END_USE}|{flow.end_use}", "", END_USE)
                return Link(begin, end, _route(flow), region, (flow.name,), label=flow.end_use)
            lost = flow.quantity == LOSS
            stage = LOSS if lost else flow.quantity or "leaves"
            end = Node(f"{stage}|{begin.name}", begin.row, stage, LOSS)
            return Link(begin, end, LOSS if lost else _route(flow), region, (flow.name,))
        between = self.home[origin] in self.markets and target in self.markets
        if between and self._product_of(self.home[origin]) == self._product_of(target):  # trade or sale, not refining
            begin = self._node(origin, SUPPLY)
            return Link(begin, self._node(target, DISPOSAL), _route(flow), region, (flow.name,))
        return Link(begin, self._node(target, SUPPLY), _route(flow), region, (flow.name,))

    def _within_markets(self, links: Iterable[Link]) -> list[Link]:
        """What stays in a market after trade: all that leaves it there, less what came by trade (stocks not drawn)."""
        out: dict[Node, list[str]] = {}
        came: dict[Node, list[str]] = {}
        for link in links:
            if link.source.side == DISPOSAL:
                out.setdefault(link.source, []).extend(link.flows)
            if link.target.side == DISPOSAL:
                came.setdefault(link.target, []).extend(link.flows)
        inner = []
        for node, left in out.items():
            market = node.name.split("|", maxsplit=1)[0]
            route = UNREGISTERED if node.row.endswith(f", {UNREGISTERED}") else REGISTERED
            begin = Node(f"{market}|{SUPPLY}", node.row, node.stage, SUPPLY)
            region = self.processes[market].region
            kept = self.stocks.get(market, ())
            minus = (*came.get(node, ()), *self.opening.get(market, ()))
            inner.append(Link(begin, node, route, region, (*left, *kept), minus, "stays", tuple(kept)))
        return inner

    def _stock_changes(self, givers: set[str]) -> Iterable[Link]:
        """Two ribbons for each process with a stock, of which a year has one: what goes into the stock, what leaves."""
        for process in self.stocks:
            node, region = self._node(process, DISPOSAL), self.processes[process].region
            node = node if node.name in givers else self._node(process, SUPPLY)  # all that it has goes abroad
            kept, opened = tuple(self.stocks[process]), tuple(self.opening.get(process, ()))
            into = Node(f"{STOCK}|into|{node.name}", node.row, STOCK, LOSS)
            yield Link(node, into, STOCK, region, kept, opened, "into stock", kept)
            out = Node(f"{STOCK}|out|{node.name}", node.row, STOCK, SOURCE)
            yield Link(out, node, STOCK, region, kept, opened, "out of stock", kept, reverse=True)


def _route(flow: Flow) -> str:
    if flow.quantity in CROSSING:
        return UNRECORDED
    return UNREGISTERED if flow.route == UNREGISTERED else REGISTERED


def _merged(links: Iterable[Link]) -> list[Link]:
    """Links with the same ends, route and label become one; declared and undeclared arrivals stay apart by label."""
    found: dict[tuple[str, str, str, str], Link] = {}
    for link in links:
        key = (link.source.name, link.target.name, link.route, link.label)
        if key in found:
            before = found[key]
            sums = {name: getattr(before, name) + getattr(link, name) for name in ("flows", "minus", "before")}
            link = replace(before, reverse=link.reverse, **sums)
        found[key] = link
    return list(found.values())


def _group(node: Node) -> str:
    """Nodes of one group share a column."""
    return f"{node.stage}|{node.side}" if node.side in (SUPPLY, DISPOSAL) else node.stage


def _columns(links: list[Link]) -> tuple[tuple[Node, ...], ...]:
    """Nodes by column: a group one beyond all that flow into it; losses beside their source; end uses last."""
    nodes = {n.name: n for link in links for n in (link.source, link.target)}
    inner = [link for link in links if link.target.side != LOSS and link.source.side != SOURCE]
    depth = _forward([(_group(a.source), _group(a.target)) for a in inner])
    fed = [link.target for link in links if link.source.side == SOURCE and link.source.stage != STOCK]
    first = int(any(depth.get(_group(node), 0) == 0 for node in fed))  # a column for what comes from outside
    place: dict[str, int] = {}
    for node in nodes.values():
        if node.side not in (LOSS, SOURCE):
            place[node.name] = depth.get(_group(node), 0) + first
    for link in links:
        if link.target.side == LOSS:
            place[link.target.name] = place[link.source.name] + 1
        if link.source.side == SOURCE:
            place[link.source.name] = max(place[link.target.name] - 1, 0)
    # A column of their own: their names stand free of ribbons and of other nodes.
    last = max((p for name, p in place.items() if nodes[name].stage != END_USE), default=-1)
    place |= {name: last + 1 for name in place if nodes[name].stage == END_USE}
    count = max(place.values()) + 1 if place else 0
    return tuple(tuple(nodes[name] for name, p in place.items() if p == i) for i in range(count))


def _forward(edges: list[tuple[str, str]]) -> dict[str, int]:
    """Longest path to each group, without edges that close a circle: of these, those farthest from the beginning.

    >>> _forward([("c", "a"), ("a", "b"), ("b", "c"), ("a", "c"), ("start", "a")])
    {'c': 3, 'a': 1, 'b': 2, 'start': 0}
    """
    names = dict.fromkeys(name for edge in edges for name in edge)
    fed = {b for a, b in edges if a != b}
    steps = _steps(edges, [name for name in names if name not in fed] or list(names)[:1])
    kept: list[tuple[str, str]] = []
    for a, b in sorted(dict.fromkeys(edges), key=lambda edge: steps.get(edge[0], len(names))):
        if a not in _steps(kept, [b]):
            kept.append((a, b))
    return depths(kept, names)


def depths(edges: Sequence[tuple[str, str]], names: Iterable[str]) -> dict[str, int]:
    """Number of edges of the longest path to each name; in a circle, it ends when it has as many as there are names.

    >>> depths([("a", "b"), ("b", "c"), ("a", "c")], "abc")
    {'a': 0, 'b': 1, 'c': 2}
    """
    depth = dict.fromkeys(names, 0)
    for _ in range(len(depth)):
        before = dict(depth)
        for a, b in edges:
            if depth[b] < depth[a] + 1 <= len(depth):
                depth[b] = depth[a] + 1
        if depth == before:
            break
    return depth


def _steps(edges: Iterable[tuple[str, str]], starts: Iterable[str]) -> dict[str, int]:
    """Least number of edges from any start to each group that can be reached."""
    out = dict.fromkeys(starts, 0)
    todo = list(out)
    for name in todo:
        for a, b in edges:
            if a == name and b not in out:
                out[b] = out[name] + 1
                todo.append(b)
    return out


def _heading(column: Collection[Node]) -> str:
    """Heading of a column: the stage of its nodes; a market's second column says that trade is in."""
    stages = [n for n in column if n.side not in (LOSS, SOURCE)]
    if not stages:
        return next((n.stage for n in column if n.stage not in (LOSS, STOCK)), "").replace("_", " ")
    return "after trade" if stages[0].side == DISPOSAL else stages[0].stage
