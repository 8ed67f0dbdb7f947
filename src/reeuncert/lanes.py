"""Four numbers at a time in compiled code: a kernel that is written once serves one point, or four side by side.

A vector of the processor holds `LANES` doubles. Arrays of one point have the shape (n,), those of four (n, LANES). A
kernel reads a number with ``load(array, i)``, a float for the first and four of them for the second, and writes it with
``store``; in between it uses +, −, ×, / and the functions of this module, which take either. Each of the four gets the
arithmetic of its own, so that a point has the same result beside any others.
"""

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.datamodel import models
from numba.extending import intrinsic, overload, register_model

from reeuncert.compiling import source_version

VERSION = source_version(__file__)

LANES = 4
"""Doubles in 32 bytes: one vector of most processors, two of others."""

_DOUBLES, _WORDS, _BITS = (ir.VectorType(kind, LANES) for kind in (ir.DoubleType(), ir.IntType(64), ir.IntType(1)))


class _Lanes(types.Type):
    """Four doubles."""


class _Mask(types.Type):
    """Four truth values."""


_lanes, _mask = _Lanes("lanes"), _Mask("lanes_mask")


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _DOUBLES)


@register_model(_Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _BITS)


def _all(value: float | int, kind: Any = _DOUBLES) -> Any:
    return ir.Constant(kind, [value] * LANES)


def _instruction(result: Any, arguments: tuple[Any, ...], build: Callable[..., Any]) -> Any:
    """A function of compiled code that is one or more instructions: ``build(builder, *values)``."""

    def made(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return build(builder, *values)

    # numba reads the number of arguments from the function's own signature
    if len(arguments) == 1:

        def one(typing: Any, a: Any) -> Any:
            return result(*arguments), made

        return intrinsic(one)
    if len(arguments) == 2:

        def two(typing: Any, a: Any, b: Any) -> Any:
            return result(*arguments), made

        return intrinsic(two)

    def three(typing: Any, a: Any, b: Any, c: Any) -> Any:
        return result(*arguments), made

    return intrinsic(three)


def _library(name: str) -> Callable[..., Any]:
    """A function of LLVM, for each of the four."""

    def call(builder: Any, *values: Any) -> Any:
        kind = ir.FunctionType(_DOUBLES, [_DOUBLES] * len(values))
        function = builder.module.declare_intrinsic(f"llvm.{name}.v{LANES}f64", fnty=kind)
        return builder.call(function, values)

    return call


def _broadcast(builder: Any, value: Any) -> Any:
    first = builder.insert_element(ir.Constant(_DOUBLES, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    same = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(first, first, same)


CONTRACT = ("contract",)
"""a × b + c in one rounding, where the processor can."""

_spread = _instruction(_lanes, (types.float64,), _broadcast)
_add = _instruction(_lanes, (_lanes, _lanes), lambda b, x, y: b.fadd(x, y, CONTRACT))
_subtract = _instruction(_lanes, (_lanes, _lanes), lambda b, x, y: b.fsub(x, y, CONTRACT))
_multiply = _instruction(_lanes, (_lanes, _lanes), lambda b, x, y: b.fmul(x, y, CONTRACT))
_divide = _instruction(_lanes, (_lanes, _lanes), lambda b, x, y: b.fdiv(x, y))
_negative = _instruction(_lanes, (_lanes,), lambda b, x: b.fneg(x))
_sqrt = _instruction(_lanes, (_lanes,), _library("sqrt"))
_abs = _instruction(_lanes, (_lanes,), _library("fabs"))
_less = _instruction(_mask, (_lanes, _lanes), lambda b, x, y: b.fcmp_ordered("<", x, y))
_more = _instruction(_mask, (_lanes, _lanes), lambda b, x, y: b.fcmp_ordered(">", x, y))
_choose = _instruction(_lanes, (_mask, _lanes, _lanes), lambda b, m, x, y: b.select(m, x, y))
_pick = _instruction(types.float64, (_lanes, types.int64), lambda b, x, i: b.extract_element(x, i))
_replace = _instruction(_lanes, (_lanes, types.int64, types.float64), lambda b, x, i, v: b.insert_element(x, v, i))


def _power_of_two(builder: Any, shifted: Any) -> Any:
    """2ᵏ, where k is the integer in the last bits of a double."""
    bits = builder.shl(builder.bitcast(shifted, _WORDS), _all(52, _WORDS))
    return builder.bitcast(builder.add(bits, _all(1023 << 52, _WORDS)), _DOUBLES)


def _exponent_of(builder: Any, x: Any) -> Any:
    """K of x = 2ᵏ m with 1 ≤ m < 2."""
    bits = builder.lshr(builder.bitcast(x, _WORDS), _all(52, _WORDS))
    whole = builder.bitcast(builder.or_(bits, _all(1075 << 52, _WORDS)), _DOUBLES)  # 2⁵² + k + 1023
    return builder.fsub(whole, _all(2.0**52 + 1023))


def _mantissa_of(builder: Any, x: Any) -> Any:
    """M of x = 2ᵏ m with 1 ≤ m < 2."""
    bits = builder.and_(builder.bitcast(x, _WORDS), _all((1 << 52) - 1, _WORDS))
    return builder.bitcast(builder.or_(bits, _all(1023 << 52, _WORDS)), _DOUBLES)


_two_to = _instruction(_lanes, (_lanes,), _power_of_two)
_exponent = _instruction(_lanes, (_lanes,), _exponent_of)
_mantissa = _instruction(_lanes, (_lanes,), _mantissa_of)


def _place(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    """Pointer to four numbers of an array (n, LANES)."""
    array = context.make_array(signature.args[0])(context, builder, values[0])
    i = context.cast(builder, values[1], signature.args[1], types.intp)
    place = builder.gep(array.data, [builder.mul(i, ir.Constant(i.type, LANES))])
    return builder.bitcast(place, _DOUBLES.as_pointer())


@intrinsic
def _load(typing: Any, array: Any, i: Any) -> Any:
    def made(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load(_place(context, builder, signature, values), align=8)

    return _lanes(array, i), made


@intrinsic
def _store(typing: Any, array: Any, i: Any, value: Any) -> Any:
    def made(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store(values[2], _place(context, builder, signature, values), align=8)
        return context.get_dummy_value()

    return types.void(array, i, value), made


def _four(array: Any) -> bool:
    return bool(array.ndim == 2)


def load(array, i):  # type: ignore[no-untyped-def]  # of compiled code
    """The number at a place of an array (n,), or the four of (n, LANES)."""
    raise NotImplementedError


def store(array, i, value):  # type: ignore[no-untyped-def]  # of compiled code
    """Write a number, or four."""
    raise NotImplementedError


def zero(like):  # type: ignore[no-untyped-def]  # of compiled code
    """Zero, or four of it, as the elements of an array."""
    raise NotImplementedError


def empty(n, like):  # type: ignore[no-untyped-def]  # of compiled code
    """An array of n numbers, or n times four, as the elements of another."""
    raise NotImplementedError


@overload(load)
def _load_either(array, i):  # type: ignore[no-untyped-def]  # numba compares names
    if _four(array):
        return lambda array, i: _load(array, i)  # type: ignore[call-arg]  # numba adds the first
    return lambda array, i: array[i]


@overload(store)
def _store_either(array, i, value):  # type: ignore[no-untyped-def]  # numba compares names
    if not _four(array):

        def plain(array, i, value):  # type: ignore[no-untyped-def]
            array[i] = value

        return plain
    if value is _lanes:
        return lambda array, i, value: _store(array, i, value)  # type: ignore[call-arg]  # numba adds the first
    return lambda array, i, value: _store(array, i, _spread(float(value)))  # type: ignore[call-arg]


@overload(zero)
def _zero_either(like):  # type: ignore[no-untyped-def]  # numba compares names
    if _four(like):
        return lambda like: _spread(0.0)
    return lambda like: 0.0


@overload(empty)
def _empty_either(n, like):  # type: ignore[no-untyped-def]  # numba compares names
    if _four(like):
        return lambda n, like: np.empty((n, LANES))
    return lambda n, like: np.empty(n)


def _number(kind: Any) -> bool:
    return isinstance(kind, types.Number)


def _operate(operation: Any, four: Any) -> None:
    @overload(operation)
    def either(x, y):  # type: ignore[no-untyped-def]  # numba compares names
        if x is _lanes and y is _lanes:
            return lambda x, y: four(x, y)
        if x is _lanes and _number(y):
            return lambda x, y: four(x, _spread(float(y)))
        if _number(x) and y is _lanes:
            return lambda x, y: four(_spread(float(x)), y)
        return None


for _operation, _by_four in (
    (operator.add, _add),
    (operator.sub, _subtract),
    (operator.mul, _multiply),
    (operator.truediv, _divide),
    (operator.iadd, _add),
    (operator.isub, _subtract),
    (operator.imul, _multiply),
    (operator.lt, _less),
    (operator.gt, _more),
):
    _operate(_operation, _by_four)


@overload(operator.neg)
def _negative_either(x):  # type: ignore[no-untyped-def]  # numba compares names
    if x is _lanes:
        return lambda x: _negative(x)
    return None


@overload(abs)
def _abs_either(x):  # type: ignore[no-untyped-def]  # numba compares names
    if x is _lanes:
        return lambda x: _abs(x)
    return None


def where(condition, yes, no):  # type: ignore[no-untyped-def]  # of compiled code
    """One of two numbers, for each of the four by its own condition; both are computed."""
    raise NotImplementedError


@overload(where)
def _where_either(condition, yes, no):  # type: ignore[no-untyped-def]  # numba compares names
    if condition is not _mask:
        return lambda condition, yes, no: yes if condition else no
    if yes is _lanes and no is _lanes:
        return lambda condition, yes, no: _choose(condition, yes, no)
    if yes is _lanes:
        return lambda condition, yes, no: _choose(condition, yes, _spread(float(no)))
    if no is _lanes:
        return lambda condition, yes, no: _choose(condition, _spread(float(yes)), no)
    return lambda condition, yes, no: _choose(condition, _spread(float(yes)), _spread(float(no)))


def some(condition):  # type: ignore[no-untyped-def]  # of compiled code
    """Whether a condition holds for the one number, or for some of the four."""
    raise NotImplementedError


def _or(builder: Any, mask: Any) -> Any:
    return builder.icmp_unsigned("!=", builder.bitcast(mask, ir.IntType(LANES)), ir.Constant(ir.IntType(LANES), 0))


_some = _instruction(types.boolean, (_mask,), _or)


@overload(some)
def _some_either(condition):  # type: ignore[no-untyped-def]  # numba compares names
    if condition is _mask:
        return lambda condition: _some(condition)
    return lambda condition: condition


def lane(x, i):  # type: ignore[no-untyped-def]  # of compiled code
    """The i-th of four numbers, or the only one."""
    raise NotImplementedError


@overload(lane)
def _lane_either(x, i):  # type: ignore[no-untyped-def]  # numba compares names
    if x is _lanes:
        return lambda x, i: _pick(x, np.int64(i))
    return lambda x, i: x


def sqrt(x):  # type: ignore[no-untyped-def]  # of compiled code
    """Square root."""
    raise NotImplementedError


def exp(x):  # type: ignore[no-untyped-def]  # of compiled code
    """Exponential function; of four numbers only between ± 708, where it ends."""
    raise NotImplementedError


def log(x):  # type: ignore[no-untyped-def]  # of compiled code
    """Natural logarithm; NaN for what is not positive and finite, of four numbers."""
    raise NotImplementedError


def log1p(x):  # type: ignore[no-untyped-def]  # of compiled code
    """log(1 + x)."""
    raise NotImplementedError


_LOG2_HIGH, _LOG2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
"""log 2 in two parts; a small integer times the first is exact."""
_ROUNDER = 1.5 * 2.0**52
"""A small number plus this has its rounded integer in the last bits."""
_ROOT = math.sqrt(2.0)


@overload(sqrt)
def _sqrt_either(x):  # type: ignore[no-untyped-def]  # numba compares names
    if x is _lanes:
        return lambda x: _sqrt(x)
    return lambda x: math.sqrt(x)


@overload(exp)
def _exp_either(x):  # type: ignore[no-untyped-def]  # numba compares names
    if x is not _lanes:
        return lambda x: math.exp(x)

    def four(x):  # type: ignore[no-untyped-def]
        x = where(x > 708.0, 708.0, where(x < -708.0, -708.0, x))
        shifted = x * 1.4426950408889634 + _ROUNDER
        whole = shifted - _ROUNDER
        r = (x - whole * _LOG2_HIGH) - whole * _LOG2_LOW
        p = r * (1 / 479001600.0) + 1 / 39916800.0
        p = p * r + 1 / 3628800.0
        p = p * r + 1 / 362880.0
        p = p * r + 1 / 40320.0
        p = p * r + 1 / 5040.0
        p = p * r + 1 / 720.0
        p = p * r + 1 / 120.0
        p = p * r + 1 / 24.0
        p = p * r + 1 / 6.0
        p = p * r + 0.5
        p = p * r + 1.0
        return (p * r + 1.0) * _two_to(shifted)

    return four


@overload(log)
def _log_either(x):  # type: ignore[no-untyped-def]  # numba compares names
    if x is not _lanes:
        return lambda x: math.log(x)

    def four(x):  # type: ignore[no-untyped-def]
        # x = 2ᵏ m with m between √½ and √2; log m = 2 artanh s by its series, s = (m − 1) / (m + 1).
        k, m = _exponent(x), _mantissa(x)
        above = m > _ROOT
        k, m = where(above, k + 1.0, k), where(above, 0.5 * m, m)
        s = (m - 1.0) / (m + 1.0)
        z = s * s
        p = z * (2 / 23.0) + 2 / 21.0
        p = p * z + 2 / 19.0
        p = p * z + 2 / 17.0
        p = p * z + 2 / 15.0
        p = p * z + 2 / 13.0
        p = p * z + 2 / 11.0
        p = p * z + 2 / 9.0
        p = p * z + 2 / 7.0
        p = p * z + 2 / 5.0
        p = p * z + 2 / 3.0
        result = k * _LOG2_HIGH + (2.0 * s + (p * z * s + k * _LOG2_LOW))
        return where(x > 0.0, where(x < math.inf, result, math.nan), math.nan)

    return four


@overload(log1p)
def _log1p_either(x):  # type: ignore[no-untyped-def]  # numba compares names
    if x is not _lanes:
        return lambda x: math.log1p(x)

    def four(x):  # type: ignore[no-untyped-def]
        w = 1.0 + x
        return log(w) + (x - (w - 1.0)) / w  # what 1 + x has lost by rounding

    return four


def one_by_one(function: Callable[..., Any]) -> Callable[..., Any]:
    """A compiled function of four numbers, the first of which may be `LANES` each; it is called for one after the
    other. For what has too many branches to be written for all at once.
    """

    def either(a, b, c, d):  # type: ignore[no-untyped-def]  # of compiled code
        raise NotImplementedError

    @overload(either)
    def implemented(a, b, c, d):  # type: ignore[no-untyped-def]  # numba compares names
        if a is not _lanes:
            return lambda a, b, c, d: function(a, b, c, d)

        def four(a, b, c, d):  # type: ignore[no-untyped-def]
            result = a
            for i in range(LANES):
                result = _replace(result, i, function(lane(a, i), lane(b, i), lane(c, i), lane(d, i)))
            return result

        return four

    return either
