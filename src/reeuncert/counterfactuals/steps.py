"""What one process does in a round on one draw: it passes demand on, and delivers.

Arrays of records (`FLOW`, `PROCESS`) hold the draw: few arguments compile fast, and fields used together lie together.
No array is sliced and no tuple of arrays is passed: numba counts references to each, which took most of the time.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reeuncert.compiling import compiled

Ints = NDArray[np.int64]

DECAYED = 1e-12
"""Demand below this fraction of the draw's throughput, and deliveries below it of demand, are set to zero: in a cycle
without supply they decay but never vanish."""
_TINY = np.finfo(float).tiny

FLOW = np.dtype(
    [
        *((name, np.int64) for name in ("source", "target")),  # processes; -1 is outside
        *((name, np.bool_) for name in ("made", "aside", "inside")),  # inside: within one cycle
        *((name, float) for name in ("mass", "limit")),  # as drawn, and its upper limit
        ("part", float),  # of the throughput of its source: what is made, or given on demand in all
        ("usual", float),  # what is asked for before more than usual is
        ("flow", float),  # so far
        *((name, float) for name in ("ask", "before", "more")),  # of this round: demand, the pass before, delivery
        *((name, float) for name in ("room", "lack", "weight", "most")),  # see `share_out`
    ],
    align=True,
)
"""A flow of a draw."""

PROCESS = np.dtype(
    [
        *((name, np.int64) for name in ("in_start", "in_end", "out_start", "out_end", "group")),
        *((name, np.bool_) for name in ("stocked", "plant")),
        *((name, float) for name in ("capacity", "carried", "kept", "closing")),  # see `network.World`
        *((name, float) for name in ("extra", "first")),  # new capacity, and what of it is bought first
        ("drawn", float),  # throughput as drawn
        ("floor", float),  # stock above it is available
        ("rest", float),  # part of the throughput that is given on demand
        *((name, float) for name in ("through", "balance")),  # throughput so far, stock
        *((name, float) for name in ("need", "from_stock", "building", "pushed", "went")),  # of this round
        *((name, float) for name in ("free", "spare")),  # stock and capacity that are left
        *((name, float) for name in ("reach", "own")),  # throughput that is possible
    ],
    align=True,
)
"""A process of a draw. A plant has no stock, and gives nothing on demand."""

Records = Any  # array of `FLOW` or of `PROCESS`; numba knows their fields, mypy does not
Graph = tuple[Ints, Ints, Ints, Ints]
"""Inflows and outflows, process by process; where each cycle starts, and their members, suppliers first."""


@compiled
def rooms(flows: Records, processes: Records, inflow: Ints, j: int, spare: bool, group: int) -> float:
    """Set the upper limit of the demand of a process on each inflow, given the possible (or ``spare``) throughput of
    its source; return their sum. Sources of this ``group`` give nothing.
    """
    total = 0.0
    for n in range(processes[j].in_start, processes[j].in_end):
        flow = flows[inflow[n]]
        room = max(flow.limit - flow.flow, 0.0)
        if flow.source >= 0:
            source = processes[flow.source]
            most = source.spare if spare else source.reach
            room = min(room, flow.part * most) if flow.part > 0 and source.group != group else 0.0
        flow.room = room
        total += room
    return total


@compiled
def pass_on(
    flows: Records, processes: Records, inflow: Ints, outflow: Ints, j: int, outside: bool, cycle: bool
) -> float:
    """Pass what is asked of a process to its stock and its suppliers; ``outside``: what it did not pass on so far, to
    suppliers that are not in its cycle. Returns the largest relative change if it is in a cycle.
    """
    process = processes[j]
    asked, given = process.pushed, 0.0
    for n in range(process.out_start, process.out_end):
        flow = flows[outflow[n]]
        if not flow.made:
            given += flow.ask
        elif not flow.aside and flow.part > 0:
            asked = max(asked, flow.ask / flow.part)
    if given > 0:
        asked = max(asked, given / process.rest)
    process.need = min(asked, process.spare)
    process.from_stock = min(process.need, process.free)
    want = process.need - process.from_stock + process.building
    if want < DECAYED * process.drawn:
        want = 0.0
    start, end = process.in_start, process.in_end
    for n in range(start, end):
        flow = flows[inflow[n]]
        flow.before, flow.lack = flow.ask, max(flow.usual - flow.flow, 0.0)
        if outside:
            flow.room = 0.0 if flow.inside else flow.room
        else:
            flow.ask = 0.0
            ahead = processes[flow.source].first - processes[flow.source].through if flow.source >= 0 else 0.0
            if ahead > 0:
                flow.ask = min(min(flow.part * ahead, flow.room), want)
                flow.lack = max(flow.lack - flow.part * ahead, 0.0)
        want = max(want - flow.ask, 0.0)
    share_out(flows, inflow, start, end, want)
    moved = 0.0
    for n in range(start, end if cycle else start):
        flow = flows[inflow[n]]
        moved = max(moved, abs(flow.ask - flow.before) / max(max(flow.ask, flow.before), _TINY))
    return moved


@compiled
def share_out(flows: Records, inflow: Ints, start: int, end: int, want: float) -> None:
    """Divide demand over suppliers: first up to what each ``lack``s to its usual delivery, in proportion to that, then
    beyond it in proportion to the usual delivery (``mass``); each ``ask`` up to its ``room``. Added to ``ask``.
    """
    left = want
    for beyond in (False, True):
        if not left > 1e-15 * want:
            break
        for n in range(start, end):
            flow = flows[inflow[n]]
            flow.weight = flow.mass if beyond else flow.lack
            flow.most = flow.room if beyond else min(flow.ask + flow.lack, flow.room)
        for _ in range(end - start + 1):
            whole = 0.0
            for n in range(start, end):
                flow = flows[inflow[n]]
                if flow.ask < flow.most:
                    whole += flow.weight
            if not left > 1e-15 * want or not whole > 0:
                break
            part = left / whole
            for n in range(start, end):
                flow = flows[inflow[n]]
                if flow.ask < flow.most:
                    more, spare = flow.weight * part, flow.most - flow.ask
                    flow.ask = flow.most if more >= spare else flow.ask + more
                    left -= min(more, spare)


@compiled
def deliver(flows: Records, processes: Records, inflow: Ints, outflow: Ints, j: int, cycle: bool) -> float:
    """Outflows of a process from its inflows. Returns the largest relative change if it is in a ``cycle``."""
    process = processes[j]
    got, asked = process.from_stock, 0.0
    for n in range(process.in_start, process.in_end):
        got += flows[inflow[n]].more
    for n in range(process.out_start, process.out_end):
        flow = flows[outflow[n]]
        asked += 0.0 if flow.made else flow.ask
    whole = process.need + process.building
    if cycle and got < DECAYED * whole:
        got = 0.0
    # Stock is served by the same fraction as all customers. Surplus goes to stock, or is there for the next round; a
    # plant makes something of it.
    process.went = got
    if not process.plant:
        process.went = min(got * (process.need / whole), process.need) if whole > 0 else 0.0
    served = min(process.went * process.rest / asked, 1.0) if asked > 0 else 0.0
    moved = 0.0
    for n in range(process.out_start, process.out_end):
        flow = flows[outflow[n]]
        more = flow.part * process.went if flow.made else flow.ask * served
        if cycle:
            moved = max(moved, abs(more - flow.more) / max(max(more, flow.more), 1e-3 * process.drawn + _TINY))
        flow.before, flow.more = flow.more, more
    return moved
