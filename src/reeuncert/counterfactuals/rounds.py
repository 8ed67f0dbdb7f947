"""Rounds of demand and supply on one draw after another: the compiled part of `reeuncert.counterfactuals.run`."""

import numpy as np

from reeuncert.compiling import compiled, kernel, source_version, unowned
from reeuncert.counterfactuals import steps
from reeuncert.counterfactuals.steps import DECAYED, Graph, Ints, Records, deliver, pass_on, rooms
from reeuncert.indicators.flows import Array, Mask

VERSION = source_version(__file__, steps.__file__)

GAIN = 1e-9  # rounds stop when one adds less than this fraction of all that is wanted; a shortage below it is none
_COARSE = 1e-3  # in place of it where trade has no limit: only the balance has to be exact
NOTHING = 1e-6  # losses below this fraction are rounding error, set to zero
_CHANGE = 1e-13
_MOST_PASSES, _ENOUGH, _CLOSED = 10_000, 60, 1e-11
HOPS = 3
"""Markets between a market and the supply that it counts on, where trade has limits; fewer cost thousands of rounds."""
_STILL = 1e-6  # closer to 1 than this, a rate of change is no change
_LEAP = 20  # passes after which the limit of a cycle is estimated
_TINY = np.finfo(float).tiny
DONE = -1


@kernel(VERSION, nogil=True)
def allocate_draws(
    flows: Records,
    processes: Records,
    graph: Graph,
    tiers: Mask,
    within_supply: bool,
    mass: Array,
    limit: Array,
    capacity: Array,
    carried: Array,
    kept: Array,
    closing: Array,
    extra: Array,
    out: Array,
) -> int:
    """Allocate every draw: flows (draw, flow) to `out`. Returns a process whose cycle does not converge, or `DONE`.

    Arrays of flows are (draw, flow), of processes (draw, process), tiers (tier, flow); see
    `reeuncert.counterfactuals.run.allocate`.
    """
    flows, processes = unowned(flows), unowned(processes)
    graph = (unowned(graph[0]), unowned(graph[1]), unowned(graph[2]), unowned(graph[3]))
    for d in range(mass.shape[0]):
        for i in range(flows.size):
            flows[i].mass, flows[i].limit = mass[d, i], limit[d, i]
        for j in range(processes.size):
            process = processes[j]
            process.capacity, process.carried = capacity[d, j], carried[d, j]
            process.kept, process.closing = kept[d, j], closing[d, j]
            process.extra, process.first = extra[d, j], extra[d, j] if within_supply else 0.0
        probe = extra[d].any() and not within_supply
        while True:
            stuck = _run(flows, processes, graph, tiers, within_supply, probe)
            if stuck != DONE:
                return stuck
            if not probe:
                break
            # New plants replace other supply only with feed that is not needed elsewhere: find that amount first.
            probe = False
            for j in range(processes.size):
                process = processes[j]
                if process.extra > 0 and process.went > DECAYED * process.extra:
                    process.capacity = process.first = process.through
        for i in range(flows.size):
            out[d, i] = flows[i].flow
    return DONE


@compiled
def _run(flows: Records, processes: Records, graph: Graph, tiers: Mask, within_supply: bool, probe: bool) -> int:
    """Serve the tiers in turn, then rebuild stocks, from the beginning. ``probe``: then use all new capacity."""
    for j in range(processes.size):
        process = processes[j]
        process.rest, process.drawn, process.through, process.pushed = 1.0, 0.0, 0.0, 0.0
        process.balance = process.carried
    for i in range(flows.size):
        flow = flows[i]
        flow.flow, flow.usual = 0.0, flow.mass
        if flow.source >= 0:
            processes[flow.source].drawn += flow.mass
    for given in (False, True):
        for i in graph[1]:
            flow = flows[i]
            source = processes[flow.source]
            if given == flow.made:
                continue
            flow.part = source.rest if given else flow.mass / max(source.drawn, _TINY)
            source.rest -= 0.0 if given else flow.part
            flow.usual += flow.part * source.first if source.first > 0 else 0.0
    stuck, short = DONE, within_supply
    if not within_supply and not probe and _all_at_once(flows, processes, graph, tiers):
        return DONE
    for t in range(tiers.shape[0]):
        wanted = np.flatnonzero(tiers[t])
        if stuck == DONE:
            stuck = _serve(flows, processes, graph, wanted, False, within_supply, within_supply)
    for t in range(tiers.shape[0]):
        for k in np.flatnonzero(tiers[t]):
            short = short or flows[k].mass - flows[k].flow > NOTHING * flows[k].mass
    if stuck == DONE:
        stuck = _serve(flows, processes, graph, np.empty(0, np.int64), True, short, within_supply)
    if stuck == DONE and probe:
        for i in range(flows.size):
            flows[i].ask = 0.0
        for j in range(processes.size):
            process = processes[j]
            process.building, process.floor = 0.0, process.kept
            process.pushed = min(process.extra, max(process.capacity - process.through, 0.0))
        stuck = _round(flows, processes, graph, probe, within_supply)
    return stuck


@compiled
def _all_at_once(flows: Records, processes: Records, graph: Graph, tiers: Mask) -> bool:
    """Ask for all demand and for stocks in one round: where no limit binds, that gives the draw. Returns whether all
    was met; if not, nothing is left of it.
    """
    for j in range(processes.size):
        process = processes[j]
        process.floor = process.closing if process.stocked else 0.0
        process.building = max(process.floor - process.balance, 0.0)
    for i in range(flows.size):
        flows[i].ask = flows[i].mass if tiers[:, i].any() else 0.0
    met = _round(flows, processes, graph, False, False) == DONE
    for i in range(flows.size):
        met = met and not (tiers[:, i].any() and flows[i].mass - flows[i].flow > NOTHING * flows[i].mass)
    for j in range(processes.size):
        process = processes[j]
        rounding = 1e-9 * process.drawn
        met = met and process.floor - process.balance <= NOTHING * process.floor + rounding
        met = met and (process.stocked or process.balance <= rounding)
    if not met:
        for i in range(flows.size):
            flows[i].flow = 0.0
        for j in range(processes.size):
            processes[j].through, processes[j].balance = 0.0, processes[j].carried
    return met


@compiled
def _serve(
    flows: Records, processes: Records, graph: Graph, wanted: Ints, stocks: bool, again: bool, within_supply: bool
) -> int:
    """Rounds of demand and supply until nothing is added: for the flows ``wanted``, or to rebuild ``stocks`` from
    surplus supply, up to the drawn stock at the end of the year.

    ``again``: there is a shortage. Demand beyond supply would not converge, since it circulates between markets.
    """
    left, gain = np.inf, _COARSE if within_supply else GAIN
    for j in range(processes.size):
        process = processes[j]
        process.building, process.floor = 0.0, process.kept
        if stocks:
            process.floor = process.closing if process.stocked else 0.0
    while True:
        missing, whole = 0.0, 0.0
        for i in range(flows.size):
            flows[i].ask = 0.0
        for i in wanted:
            flow = flows[i]
            goal = min(flow.mass, flow.limit)
            flow.ask = max(goal - flow.flow, 0.0)
            missing += flow.ask
            whole += goal
        for j in range(processes.size if stocks else 0):
            process = processes[j]
            short = process.floor - process.balance
            process.building = short if process.floor > 0 and short > gain * process.floor else 0.0
            missing += process.building
            whole += process.floor
        if not missing > (0.0 if stocks else gain * whole) or not left - missing > gain * whole:
            return DONE
        left = missing
        stuck = _round(flows, processes, graph, again, within_supply)
        if stuck != DONE:
            return stuck
        again = True


@compiled
def _round(flows: Records, processes: Records, graph: Graph, again: bool, within_supply: bool) -> int:
    """Demand (``ask``, ``building``, ``pushed``) goes up the chain, supply comes down. Stock above ``floor`` is
    available.
    """
    inflow, outflow, start, member = graph
    for j in range(processes.size):
        process = processes[j]
        process.spare = max(process.capacity - process.through, 0.0)
        process.free = max(process.balance - process.floor, 0.0)
    _set_rooms(flows, processes, graph, again, HOPS if again and not within_supply else 1)
    for i in range(flows.size):
        flow = flows[i]
        # In a cycle that supplies itself, several demands are consistent with the others: that of the draw is wanted.
        if flow.inside and not again:
            flow.ask = min(max(flow.usual - flow.flow, 0.0), flow.room)
    for g in range(start.size - 2, -1, -1):
        stuck = _settle(flows, processes, inflow, outflow, member, start[g], start[g + 1], True, within_supply)
        if stuck != DONE:
            return stuck
    for j in range(processes.size):
        processes[j].pushed = 0.0
    for i in range(flows.size):
        # In a cycle all processes start with full delivery; the passes reduce it to the actual supply.
        flows[i].more = flows[i].ask if flows[i].source < 0 or flows[i].inside else 0.0
    for g in range(start.size - 1):
        stuck = _settle(flows, processes, inflow, outflow, member, start[g], start[g + 1], False, False)
        if stuck != DONE:
            return stuck
    for j in range(processes.size):
        processes[j].through += processes[j].went
    for i in graph[0]:
        processes[flows[i].target].balance += flows[i].more
    for i in graph[1]:
        processes[flows[i].source].balance -= flows[i].more
    for i in range(flows.size):
        flows[i].flow += flows[i].more
    return DONE


@compiled
def _settle(
    flows: Records,
    processes: Records,
    inflow: Ints,
    outflow: Ints,
    member: Ints,
    first: int,
    stop: int,
    up: bool,
    within_supply: bool,
) -> int:
    """Pass on demand (``up``) or deliver in a cycle until nothing changes."""
    last, rate, cycle = 0.0, 0.0, stop - first > 1
    for k in range(_MOST_PASSES):
        moved = 0.0
        for m in range(first, stop):
            j = member[m]
            if up:
                moved = max(moved, pass_on(flows, processes, inflow, outflow, j, within_supply and k > 0, cycle))
            else:
                moved = max(moved, deliver(flows, processes, inflow, outflow, j, cycle))
        if moved <= _CHANGE or not cycle or (within_supply and k > 0):
            return DONE
        if k >= _ENOUGH and (up or moved <= _CLOSED):  # an estimate of demand will do; supply must balance
            return DONE
        if k % _LEAP < _LEAP - 3:
            continue
        # Changes that shrink by a constant rate r a pass add up to r / (1 - r) times the last one. What is delivered
        # in a circle without supply does not shrink: it goes to zero. Demand that no one can serve stays as it is.
        change, before = 0.0, rate
        for m in range(first, stop):
            for n in range(processes[member[m]].in_start, processes[member[m]].in_end):
                flow = flows[inflow[n]]
                change += abs((flow.ask if up else flow.more) - flow.before) if flow.inside else 0.0
        rate, last = change / last if last > 0 else 1.0, change
        shrinks = max(1.0 - rate, 1e-9)
        if k % _LEAP == _LEAP - 1 and rate < 1.0 + _STILL and abs(rate - before) < 0.1 * shrinks + _STILL:
            if up and shrinks < _STILL:
                return DONE
            for m in range(first, stop):
                for n in range(processes[member[m]].in_start, processes[member[m]].in_end):
                    flow = flows[inflow[n]]
                    now = flow.ask if up else flow.more
                    to = max(now + rate / shrinks * (now - flow.before), 0.0)
                    if flow.inside and up:
                        flow.ask = min(to, flow.room)
                    elif flow.inside:
                        flow.more = to if flow.made else min(to, flow.ask)
    return int(member[first])


@compiled
def _set_rooms(flows: Records, processes: Records, graph: Graph, again: bool, hops: int) -> None:
    """Upper limit of the demand of each process on each inflow.

    In the first round only capacities limit it; in later rounds also the supply of the source. Within a cycle, only
    supply from outside the cycle counts, ``hops`` processes away; otherwise its processes would pass demand to each
    other without supply. One that has none itself counts what its suppliers in the cycle have.
    """
    inflow, _, start, member = graph
    for g in range(start.size - 1):
        first, stop = start[g], start[g + 1]
        if stop - first == 1:
            process = processes[member[first]]
            room = rooms(flows, processes, inflow, member[first], not again, -1)
            process.reach = min(process.spare, process.free + room)
            continue
        found = again
        for m in range(first, stop):
            process = processes[member[m]]
            if again:
                room = rooms(flows, processes, inflow, member[m], False, g)
                process.own = process.reach = min(process.spare, process.free + room)
        while found:
            found = False
            for m in range(first, stop):
                process = processes[member[m]]
                if not process.reach > 0 and process.spare > 0:
                    room = rooms(flows, processes, inflow, member[m], False, -1)
                    process.own = min(process.spare, room)
                    found = found or process.own > 0
            for m in range(first, stop):
                processes[member[m]].reach = processes[member[m]].own
        for _ in range(hops):
            for m in range(first, stop):
                process = processes[member[m]]
                room = rooms(flows, processes, inflow, member[m], not again, -1)
                process.own = min(process.spare, process.free + room)
            for m in range(first, stop):
                processes[member[m]].reach = processes[member[m]].own
