"""Numbers in compiled code, of one point or of four side by side: a kernel that is written once serves both.

A vector of the processor holds `LANES` doubles. Arrays of one point have the shape (n,), those of four (n, LANES). A
kernel reads a number with ``load(array, i)``, a float for the first and four of them for the second, and writes it with
``store``; in between it uses +, −, ×, / and the functions of this module and of `reeuncert.lanes.functions`, which take
either. Each of the four gets the arithmetic of its own, so that a point has the same result beside any others.
"""

import operator
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from reeuncert.lanes import instructions
from reeuncert.lanes.instructions import (
    DOUBLES,
    FOUR,
    LANES,
    MASK,
    absolute,
    add,
    any_of,
    choose,
    divide,
    less,
    more,
    multiply,
    negative,
    pick,
    spread,
    subtract,
)

LANE_FILES = (instructions.__file__, __file__)
"""For the version of kernels."""


def _place(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    """Pointer to four numbers of an array (n, LANES)."""
    array = context.make_array(signature.args[0])(context, builder, values[0])
    i = context.cast(builder, values[1], signature.args[1], types.intp)
    place = builder.gep(array.data, [builder.mul(i, ir.Constant(i.type, LANES))])
    return builder.bitcast(place, DOUBLES.as_pointer())


@intrinsic
def _load(typing: Any, array: Any, i: Any) -> Any:
    def made(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load(_place(context, builder, signature, values), align=8)

    return FOUR(array, i), made


@intrinsic
def _store(typing: Any, array: Any, i: Any, value: Any) -> Any:
    def made(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store(values[2], _place(context, builder, signature, values), align=8)
        return context.get_dummy_value()

    return types.void(array, i, value), made


def of_compiled_code[F: Callable[..., Any]](chosen: F) -> F:
    """A function that only kernels call. ``chosen`` takes the types of its arguments, and returns what is compiled."""

    @wraps(chosen)
    def function(*arguments: Any) -> Any:
        raise NotImplementedError  # numba compiles what `chosen` returns; Python itself never runs this

    overload(function)(chosen)
    return cast(F, function)


def _four(array: Any) -> bool:
    return bool(array.ndim == 2)


@of_compiled_code
def load(array, i):  # type: ignore[no-untyped-def]  # numba compares names
    """The number at a place of an array (n,), or the four of (n, LANES)."""
    if _four(array):
        return lambda array, i: _load(array, i)  # type: ignore[call-arg]  # numba adds the first
    return lambda array, i: array[i]


@of_compiled_code
def store(array, i, value):  # type: ignore[no-untyped-def]  # numba compares names
    """Write a number, or four."""
    if not _four(array):

        def plain(array, i, value):  # type: ignore[no-untyped-def]  # numba infers
            array[i] = value

        return plain
    if value is FOUR:
        return lambda array, i, value: _store(array, i, value)  # type: ignore[call-arg]  # numba adds the first
    return lambda array, i, value: _store(array, i, spread(float(value)))  # type: ignore[call-arg]  # numba too


@of_compiled_code
def zero(like):  # type: ignore[no-untyped-def]  # numba compares names
    """Zero, or four of it, as the elements of an array."""
    if _four(like):
        return lambda like: spread(0.0)
    return lambda like: 0.0


@of_compiled_code
def empty(n, like):  # type: ignore[no-untyped-def]  # numba compares names
    """An array of n numbers, or n times four, as the elements of another."""
    if _four(like):
        return lambda n, like: np.empty((n, LANES))
    return lambda n, like: np.empty(n)


def _number(kind: Any) -> bool:
    return isinstance(kind, types.Number)


def _operate(operation: Any, four: Any) -> None:
    @overload(operation)
    def either(x, y):  # type: ignore[no-untyped-def]  # numba compares names
        if x is FOUR and y is FOUR:
            return lambda x, y: four(x, y)
        if x is FOUR and _number(y):
            return lambda x, y: four(x, spread(float(y)))
        if _number(x) and y is FOUR:
            return lambda x, y: four(spread(float(x)), y)
        return None


for _operation, _by_four in (
    (operator.add, add),
    (operator.sub, subtract),
    (operator.mul, multiply),
    (operator.truediv, divide),
    (operator.iadd, add),
    (operator.isub, subtract),
    (operator.imul, multiply),
    (operator.lt, less),
    (operator.gt, more),
):
    _operate(_operation, _by_four)


@overload(operator.neg)
def _negative_either(x):  # type: ignore[no-untyped-def]  # numba compares names
    if x is FOUR:
        return lambda x: negative(x)
    return None


@overload(abs)
def _abs_either(x):  # type: ignore[no-untyped-def]  # numba compares names
    if x is FOUR:
        return lambda x: absolute(x)
    return None


@of_compiled_code
def where(condition, yes, no):  # type: ignore[no-untyped-def]  # numba compares names
    """One of two numbers, for each of the four by its own condition; both are computed."""
    if condition is not MASK:
        return lambda condition, yes, no: yes if condition else no
    if yes is FOUR and no is FOUR:
        return lambda condition, yes, no: choose(condition, yes, no)
    if yes is FOUR:
        return lambda condition, yes, no: choose(condition, yes, spread(float(no)))
    if no is FOUR:
        return lambda condition, yes, no: choose(condition, spread(float(yes)), no)
    return lambda condition, yes, no: choose(condition, spread(float(yes)), spread(float(no)))


@of_compiled_code
def some(condition):  # type: ignore[no-untyped-def]  # numba compares names
    """Whether a condition holds for the one number, or for some of the four."""
    if condition is MASK:
        return lambda condition: any_of(condition)
    return lambda condition: condition


@of_compiled_code
def lane(x, i):  # type: ignore[no-untyped-def]  # numba compares names
    """The i-th of four numbers, or the only one."""
    if x is FOUR:
        return lambda x, i: pick(x, np.int64(i))
    return lambda x, i: x
