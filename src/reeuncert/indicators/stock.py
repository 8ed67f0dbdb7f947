"""Stock change of the markets."""

from functools import partial

import numpy as np

from reeuncert.indicators.flows import Array, FlowTable
from reeuncert.indicators.registry import indicator


def stock_change(closing: Array, opening: Array) -> Array:
    """Increase of a stock in a year (negative: decrease), in the unit of its arguments.

    Examples
    --------
    >>> stock_change(np.array([7.0]), np.array([9.0]))
    array([-2.])
    """
    return closing - opening


def stock_change_of(table: FlowTable, region: str, label: str) -> Array:
    """Stock change of a region's markets of some products, all routes, array (chain, draw, year).

    The opening stock of a year was carried over into it, or entered as `opening_stock`.
    """
    here = table.where(origin=region, product=table.members(label))
    stocks = np.flatnonzero(here & table.where(quantity="stock") & table.present.any(axis=1))
    entering = np.flatnonzero(here & table.where(quantity="opening_stock") & table.present.any(axis=1))
    if not len(stocks) + len(entering):
        return np.broadcast_to(np.nan, table.shape)
    closing, opening = np.zeros(table.shape), np.zeros(table.shape)
    for i in stocks:
        closing += table.mass[i]
        opening[..., 1:] += table.mass[i][..., :-1] * table.carried[i, 1:]
    for i in entering:
        opening += table.mass[i]
    return table.accumulate(stock_change(closing, opening))


@indicator(
    "stock_change",
    title="Stock change",
    unit="mass",
    dims=("region", "product"),
    reference="Brunner & Rechberger 2016, Handbook of Material Flow Analysis, doi 10.1201/9781315313450",
)
def _of_flows(table: FlowTable) -> Array:
    return table.over("region", "product", of=partial(stock_change_of, table))
