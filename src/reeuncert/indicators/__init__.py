"""Indicators of dependence: functions of flows, computed on every draw.

Every indicator is one plain function on arrays and one record in `reeuncert.indicators.registry.INDICATORS` (name,
title, unit, reference, dims), which the documentation prints as a table. They look at the *roles* of flows (quantity,
product, origin, destination, route, end_use), never at names, so that they work in every case. Masses are in the unit
of the case, ratios have unit 1.

Dims and labels
---------------
``region``
    The regions of the case. In a pair, ``region`` is the importer (the dependent one), ``partner`` the exporter.
``partner``
    The regions of the case; for embodied dependence also ``"opening stock"`` (was in stock when the first year began)
    and ``"no region"`` (entered otherwise than by mining, or never refined or separated).
``product``
    The products of the case, ``"refined"`` (all products that a `production` flow makes), ``"all"`` (without goods,
    products of a `fabrication` flow), and for indicators of elements the elements of ``contents.csv``.
``end_use``
    The end uses of the case.
``year``
    Every variable has it. A variable ``<name>_cumulated``, where the record says so, holds the same indicator with
    every mass cumulative from the first year to ``year``; a headline with ``year = 0`` means its last year.
"""

# Each module registers its indicators; tables and reports list them in this order.
# isort: off
from reeuncert.indicators import trade, consumption, dependence, mining, customs_gap, embodied  # noqa: F401

# isort: on
from reeuncert.indicators.registry import INDICATORS, Indicator, UnknownIndicatorError, lookup, valid_names

__all__ = ["INDICATORS", "Indicator", "UnknownIndicatorError", "lookup", "valid_names"]
