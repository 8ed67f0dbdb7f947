"""Allocation of short supply: demand goes up the chain, supply comes down, for all draws at once.

In one round, every process passes its demand to its suppliers (through its transfer coefficients, up to its capacity,
stocks first), in proportion to their deliveries in the draw and up to their limits. Then supply comes down: a process
with a shortage serves all its customers by the same fraction. Unmet demand is passed again to suppliers with spare
supply, until a round adds nothing. See `docs/method/counterfactuals.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from reeuncert.counterfactuals.network import BEYOND, YearNetwork
from reeuncert.errors import ReeUncertError
from reeuncert.indicators.flows import Array, Mask

GAIN = 1e-9
"""Iteration stops when a round adds less than this fraction of total demand in every draw."""

_CHANGE = 1e-13
_COARSE, _CLOSED = 1e-3, 1e-11
"""In place of both where only the balance has to be exact: what a last round adds, and its balance."""
_NOTHING = 1e-12
"""Deliveries below this fraction of demand are set to zero: in a cycle without supply they decay but never vanish."""
_LEAST = 1e-9
"""A flow limited to less than this fraction of its drawn value is set to zero."""
_MOST_PASSES = 10_000
_TINY = np.finfo(float).tiny


@dataclass(frozen=True, eq=False)
class World:
    """A year as drawn, and the limits of the counterfactual.

    Parameters
    ----------
    mass
        Flows as drawn, array (flow of the network, draw).
    limit
        Upper limit of each flow, same shape; ``inf`` if only its source limits it.
    capacity
        Maximum throughput of each process, array (process, draw); ``inf`` if unlimited.
    carried
        Stock of each process from the year before, array (process, draw).
    kept
        Part of it that is not available, same shape.
    closing
        Stock at the end of the year as drawn, same shape.
    extra
        New part of the capacity, same shape; its output is bought first.
    """

    mass: Array
    limit: Array
    capacity: Array
    carried: Array
    kept: Array
    closing: Array
    extra: Array


@dataclass(frozen=True, eq=False)
class Allocation:
    """Flows of the counterfactual, array (flow, draw), and the stock of each process at its end, (process, draw)."""

    mass: Array
    closing: Array


def allocate(network: YearNetwork, world: World, tiers: Sequence[Mask], *, within_supply: bool = False) -> Allocation:
    """Serve the demand of each tier (a boolean array of the demanded flows, whose demand is the drawn value) in turn,
    then rebuild stocks. A process without stock must have no surplus supply.

    ``within_supply``: from the first round on, no supplier is asked for more than it can get, and markets that supply
    each other pass on none of what they ask of each other: where trade has no limit, demand that no one can serve would
    circulate between them.
    """
    world = replace(world, limit=np.where(world.limit < _LEAST * world.mass, 0.0, world.limit))
    state = _State(network, world, world.extra if within_supply else np.zeros_like(world.extra), within_supply)
    state.run(tiers)
    if world.extra.any() and not within_supply:
        # New plants replace other supply only with feed that is not needed elsewhere: find that amount first.
        before = state.through.copy()
        state.push(np.minimum(world.extra, np.maximum(world.capacity - before, 0.0)))
        found = (world.extra > 0) & (state.through > before + _NOTHING * world.extra)
        world = replace(world, capacity=np.where(found, state.through, world.capacity))
        state = _State(network, world, np.where(found, state.through, 0.0), within_supply=False)
        state.run(tiers)
    return state.result()


def share_out(want: Array, weight: Array, room: Array, first: Array) -> Array:
    """Divide demand over suppliers in proportion to weight, each up to its room.

    Demand (draw,); weight, room and first (supplier, draw) are the drawn, the largest and the priority delivery. The
    result (supplier, draw) sums to the demand, or to the total room if that is less.

    Examples
    --------
    >>> ask = share_out(np.array([9.0]), np.array([[3.0], [1.0]]), np.array([[4.0], [np.inf]]), np.zeros((2, 1)))
    >>> ask.ravel().tolist()
    [4.0, 5.0]
    """
    ask = np.zeros_like(weight)
    left = want.copy()
    for i in np.flatnonzero(first.any(axis=1)):
        ask[i] = np.minimum(np.minimum(first[i], room[i]), left)
        left = left - ask[i]
    for _ in range(len(weight) + 1):
        spare = room - ask
        usual = np.where(spare > 0, weight, 0.0)
        whole = usual.sum(axis=0)
        part = np.divide(left, whole, out=np.zeros_like(left), where=whole > 0)
        more = np.minimum(usual * part, spare)
        ask += more
        left = np.maximum(left - more.sum(axis=0), 0.0)
        if not (left > 1e-15 * want).any():
            break
    return ask


class _State:
    """State: capacity and stock used, and deliveries so far."""

    def __init__(self, network: YearNetwork, world: World, first: Array, within_supply: bool):
        self.network, self.world, self.first = network, world, first
        self.within_supply, self.gain = within_supply, _COARSE if within_supply else GAIN
        n_processes, n_draws = world.carried.shape
        self.n_processes, self.n_draws = n_processes, n_draws
        open_flows = (world.limit > 0).any(axis=1)
        self.order = network.order(open_flows)
        flows = np.flatnonzero(open_flows)
        self.inflows = [flows[(network.target[flows] == j) & ~network.opening[flows]] for j in range(n_processes)]
        outflows = [flows[network.source[flows] == j] for j in range(n_processes)]
        self.makes = [o[network.made[o]] for o in outflows]
        self.gives = [o[~network.made[o]] for o in outflows]
        self.leave = [np.concatenate(both) for both in zip(self.makes, self.gives, strict=True)]
        total = np.zeros((n_processes, n_draws))
        for i in np.flatnonzero(network.source != BEYOND):
            total[network.source[i]] += world.mass[i]
        self.part = np.zeros_like(world.mass)  # transfer coefficients of products and losses
        for j in range(n_processes):
            for i in np.flatnonzero((network.source == j) & network.made):
                self.part[i] = world.mass[i] / np.maximum(total[j], _TINY)
        self.rest = [1.0 - self.part[m].sum(axis=0) for m in self.makes]
        self.mass = np.where(network.opening[:, None], world.mass, 0.0)
        self.through = np.zeros_like(total)
        self.drawn = np.zeros_like(total)  # from stock
        self.built = np.zeros_like(total)  # into stock

    def run(self, tiers: Sequence[Mask]) -> None:
        """Serve the tiers in turn, then rebuild stocks."""
        for tier in tiers:
            self.serve(tier)
        self._rebuild(self._short(tiers))

    def push(self, amount: Array) -> None:
        """Throughput beyond demand, up to supply."""
        self._round({}, pushed=amount, again=True)

    def serve(self, tier: Mask) -> None:
        """Rounds of demand and supply until nothing is added."""
        wanted = np.flatnonzero(tier)
        goal = np.minimum(self.world.mass[wanted], self.world.limit[wanted])
        whole = goal.sum(axis=0)
        again = self.within_supply
        while True:
            missing = np.maximum(goal - self.mass[wanted], 0.0)
            if not (missing.sum(axis=0) > self.gain * whole).any():
                return
            before = self.mass[wanted].sum(axis=0)
            self._round(dict(zip(wanted.tolist(), missing, strict=True)), again=again)
            again = True
            if not (self.mass[wanted].sum(axis=0) - before > self.gain * whole).any():
                return

    def _short(self, tiers: Sequence[Mask]) -> Mask:
        """Draws with a shortage (draw,)."""
        wanted = np.flatnonzero(np.any(tiers, axis=0))
        usual = self.world.mass[wanted]
        return np.asarray((usual - self.mass[wanted] > GAIN * usual).any(axis=0))

    def _rebuild(self, short: Mask) -> None:
        """Rebuild stocks from surplus supply, up to the drawn stock at the end of the year.

        Draws with a shortage are left out: demand beyond supply would not converge, since it circulates between
        markets.
        """
        goal = self.world.closing * (self.network.closing >= 0)[:, None]
        again: Mask | bool = short | self.within_supply
        while True:
            missing = goal - (self.world.carried - self.drawn + self.built)
            missing[missing <= self.gain * goal] = 0.0  # treat rounding error as zero shortage
            if not missing.any():
                return
            before = self.built.copy()
            self._round({}, building=missing, again=again)
            again = True
            if not (self.built - before > self.gain * goal).any():
                return

    def result(self) -> Allocation:
        """Stock balance: surplus inflow is carried into the next year."""
        closing = self.world.carried.copy()
        inflow = self.world.carried.copy()
        for i in range(len(self.mass)):
            source, target = self.network.source[i], self.network.target[i]
            if target != BEYOND and not self.network.opening[i]:
                closing[target] += self.mass[i]
                inflow[target] += self.mass[i]
            if source != BEYOND:
                closing[source] -= self.mass[i]
        over = (closing > 1e-9 * inflow) & (self.network.closing < 0)[:, None]
        if over.any():
            process = self.network.processes[int(np.flatnonzero(over.any(axis=1))[0])]
            raise ReeUncertError(
                f"the counterfactual leaves surplus supply at process '{process}', which has no demand or stock for "
                "it; add a stock flow to the case (from the process to itself)"
            )
        return Allocation(self.mass, np.maximum(closing, 0.0) * (self.network.closing >= 0)[:, None])

    def _round(
        self,
        wants: dict[int, Array],
        *,
        building: Array | None = None,
        pushed: Array | None = None,
        again: Mask | bool = False,
    ) -> None:
        building = np.zeros_like(self.through) if building is None else building
        pushed = np.zeros_like(self.through) if pushed is None else pushed
        ask, need, from_stock = self._ask(wants, building, pushed, again)
        more, through, built = self._deliver(ask, need, from_stock, building)
        self.mass += more
        self.through += through
        self.built += built
        self.drawn += from_stock

    def _rooms(self, j: int, reach: Array) -> Array:
        """Spare room of each inflow of a process, given the reachable throughput of its source, array
        (process, draw).
        """
        inflows = self.inflows[j]
        room = np.maximum(self.world.limit[inflows] - self.mass[inflows], 0.0)
        for k, i in enumerate(inflows):
            source = int(self.network.source[i])
            if source != BEYOND:
                part = self.part[i] if self.network.made[i] else self.rest[source]
                room[k] = np.minimum(room[k], part * reach[source])
        return room

    def _asking_rooms(self, spare: Array, free: Array, again: Mask | bool) -> list[Array]:
        """Upper limit of the demand of each process on each inflow.

        In the first round only capacities limit it; in later rounds also the supply of the source. Within a cycle, only
        supply from outside the cycle counts; otherwise its processes would pass demand to each other without supply.
        """
        at_first = [self._rooms(j, spare) for j in range(self.n_processes)]
        if not np.any(again):
            return at_first
        rooms = list(at_first)
        reach = np.zeros_like(spare)
        for group in self.order:
            for j in group:  # supply from outside the cycle only
                rooms[j] = self._rooms(j, reach)
            own = {j: np.minimum(spare[j], free[j] + rooms[j].sum(axis=0)) for j in group}
            for j in group:
                reach[j] = own[j]
            for j in group:
                rooms[j] = self._rooms(j, reach)
            for j in group:
                reach[j] = np.minimum(spare[j], free[j] + rooms[j].sum(axis=0))
        return [np.where(again, then, first) for then, first in zip(rooms, at_first, strict=True)]

    def _ask(
        self, wants: dict[int, Array], building: Array, pushed: Array, again: Mask | bool
    ) -> tuple[Array, Array, Array]:
        """Upward pass: demand on each flow, process and stock."""
        ask = np.zeros_like(self.mass)
        for i, want in wants.items():
            ask[i] = want
        need, from_stock = np.zeros_like(self.through), np.zeros_like(self.through)
        spare = np.maximum(self.world.capacity - self.through, 0.0)
        free = np.maximum(self.world.carried - self.world.kept - self.drawn, 0.0)
        first = np.maximum(self.first - self.through, 0.0)
        rooms = self._asking_rooms(spare, free, again)

        def visit(j: int, served: Mask | None = None) -> float:
            """Pass on what is asked of a process; ``served``: only by these inflows, beside what was passed on."""
            makes, gives, inflows = self.makes[j], self.gives[j], self.inflows[j]
            asked = pushed[j].copy()
            for i in makes[~self.network.aside[makes]]:
                asked = np.maximum(asked, _over(ask[i], self.part[i]))
            if len(gives):
                asked = np.maximum(asked, ask[gives].sum(axis=0) / self.rest[j])
            need[j] = np.minimum(asked, spare[j])
            from_stock[j] = np.minimum(need[j], free[j])
            before = ask[inflows].copy()
            if len(inflows):
                ahead = np.zeros_like(rooms[j])
                for k, i in enumerate(inflows):
                    source = int(self.network.source[i])
                    if source != BEYOND and first[source].any():
                        part = self.part[i] if self.network.made[i] else self.rest[source]
                        ahead[k] = part * first[source]
                want = need[j] - from_stock[j] + building[j]
                if served is None:
                    ask[inflows] = share_out(want, self.world.mass[inflows], rooms[j], ahead)
                else:
                    left = np.maximum(want - before.sum(axis=0), 0.0)
                    room = np.where(served[:, None], np.maximum(rooms[j] - before, 0.0), 0.0)
                    ask[inflows] += share_out(left, self.world.mass[inflows], room, np.zeros_like(room))
            return _moved(before, ask[inflows])

        if self.within_supply:
            for group in reversed(self.order):
                for j in group:  # what is asked from outside of the group, of everyone
                    visit(j)
                for j in group if len(group) > 1 else ():  # what the group asks of each other, of others alone
                    visit(j, ~np.isin(self.network.source[self.inflows[j]], group))
        else:
            self._sweep(reversed(self.order), visit, _CHANGE)
        return ask, need, from_stock

    def _deliver(self, ask: Array, need: Array, from_stock: Array, building: Array) -> tuple[Array, Array, Array]:
        """Downward pass: flows, throughputs, and additions to stock."""
        more = np.where((self.network.source == BEYOND)[:, None], ask, 0.0)
        through, built = np.zeros_like(need), np.zeros_like(need)
        # In a cycle all processes start with full delivery; the sweeps reduce it to the actual supply.
        place = {j: k for k, group in enumerate(self.order) for j in group}
        for i, (source, target) in enumerate(zip(self.network.source, self.network.target, strict=True)):
            if source != BEYOND and target != BEYOND and place[source] == place[target]:
                more[i] = ask[i]

        def visit(j: int) -> float:
            makes, gives = self.makes[j], self.gives[j]
            got = from_stock[j] + more[self.inflows[j]].sum(axis=0)
            if len(self.order[place[j]]) > 1:
                got[got < _NOTHING * (need[j] + building[j])] = 0.0
            # Stock is served by the same fraction as all customers.
            kept = got * _over(building[j], np.maximum(need[j] + building[j], got))
            through[j], built[j] = got - kept, kept
            before = more[self.leave[j]].copy()
            more[makes] = self.part[makes] * through[j]
            if len(gives):
                asked = ask[gives].sum(axis=0)
                more[gives] = ask[gives] * np.minimum(_over(through[j] * self.rest[j], asked), 1.0)
            return _moved(before, more[self.leave[j]])

        self._sweep(self.order, visit, _CLOSED if self.within_supply else _CHANGE)
        return more, through, built

    def _sweep(self, groups: Iterable[list[int]], visit: Callable[[int], float], most: float) -> None:
        """Visit every process; iterate over each cycle until it converges."""
        for group in groups:
            for _ in range(_MOST_PASSES):
                moved = max(visit(j) for j in group)
                if len(group) == 1 or moved <= most:
                    break
            else:
                names = ", ".join(self.network.processes[j] for j in group)
                raise ReeUncertError(
                    f"the counterfactual does not converge: flow circulates between {names} and almost nothing leaves; "
                    "check the flows between them in this year"
                )


def _over(top: Array, bottom: Array) -> Array:
    """Quotient; zero for 0 / 0."""
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)


def _moved(before: Array, after: Array) -> float:
    """Largest relative change."""
    if not before.size:
        return 0.0
    return float(np.max(np.abs(after - before) / np.maximum(np.maximum(before, after), _TINY)))
