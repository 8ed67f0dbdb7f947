"""Four doubles as a type of numba, and what the processor does with them: one or a few instructions each."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.datamodel import models
from numba.extending import intrinsic, register_model

LANES = 4
"""Doubles in 32 bytes: one vector of most processors, two of others."""

DOUBLES, _WORDS, _BITS = (ir.VectorType(kind, LANES) for kind in (ir.DoubleType(), ir.IntType(64), ir.IntType(1)))


class _Lanes(types.Type):
    """Four doubles."""


class _Mask(types.Type):
    """Four truth values."""


FOUR, MASK = _Lanes("lanes"), _Mask("lanes_mask")


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, DOUBLES)


@register_model(_Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _BITS)


def _all(value: float | int, kind: Any = DOUBLES) -> Any:
    return ir.Constant(kind, [value] * LANES)


def instruction(result: Any, arguments: tuple[Any, ...], build: Callable[..., Any]) -> Any:
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
        kind = ir.FunctionType(DOUBLES, [DOUBLES] * len(values))
        function = builder.module.declare_intrinsic(f"llvm.{name}.v{LANES}f64", fnty=kind)
        return builder.call(function, values)

    return call


def _broadcast(builder: Any, value: Any) -> Any:
    first = builder.insert_element(ir.Constant(DOUBLES, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    same = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(first, first, same)


CONTRACT = ("contract",)
"""a × b + c in one rounding, where the processor can."""

spread = instruction(FOUR, (types.float64,), _broadcast)
add = instruction(FOUR, (FOUR, FOUR), lambda b, x, y: b.fadd(x, y, CONTRACT))
subtract = instruction(FOUR, (FOUR, FOUR), lambda b, x, y: b.fsub(x, y, CONTRACT))
multiply = instruction(FOUR, (FOUR, FOUR), lambda b, x, y: b.fmul(x, y, CONTRACT))
divide = instruction(FOUR, (FOUR, FOUR), lambda b, x, y: b.fdiv(x, y))
negative = instruction(FOUR, (FOUR,), lambda b, x: b.fneg(x))
root = instruction(FOUR, (FOUR,), _library("sqrt"))
absolute = instruction(FOUR, (FOUR,), _library("fabs"))
less = instruction(MASK, (FOUR, FOUR), lambda b, x, y: b.fcmp_ordered("<", x, y))
more = instruction(MASK, (FOUR, FOUR), lambda b, x, y: b.fcmp_ordered(">", x, y))
choose = instruction(FOUR, (MASK, FOUR, FOUR), lambda b, m, x, y: b.select(m, x, y))
pick = instruction(types.float64, (FOUR, types.int64), lambda b, x, i: b.extract_element(x, i))
put = instruction(FOUR, (FOUR, types.int64, types.float64), lambda b, x, i, v: b.insert_element(x, v, i))


def _power_of_two(builder: Any, shifted: Any) -> Any:
    """2ᵏ, where k is the integer in the last bits of a double."""
    bits = builder.shl(builder.bitcast(shifted, _WORDS), _all(52, _WORDS))
    return builder.bitcast(builder.add(bits, _all(1023 << 52, _WORDS)), DOUBLES)


def _exponent_of(builder: Any, x: Any) -> Any:
    """K of x = 2ᵏ m with 1 ≤ m < 2."""
    bits = builder.lshr(builder.bitcast(x, _WORDS), _all(52, _WORDS))
    whole = builder.bitcast(builder.or_(bits, _all(1075 << 52, _WORDS)), DOUBLES)  # 2⁵² + k + 1023
    return builder.fsub(whole, _all(2.0**52 + 1023))


def _mantissa_of(builder: Any, x: Any) -> Any:
    """M of x = 2ᵏ m with 1 ≤ m < 2."""
    bits = builder.and_(builder.bitcast(x, _WORDS), _all((1 << 52) - 1, _WORDS))
    return builder.bitcast(builder.or_(bits, _all(1023 << 52, _WORDS)), DOUBLES)


two_to = instruction(FOUR, (FOUR,), _power_of_two)
exponent = instruction(FOUR, (FOUR,), _exponent_of)
mantissa = instruction(FOUR, (FOUR,), _mantissa_of)


def _some_bit(builder: Any, mask: Any) -> Any:
    return builder.icmp_unsigned("!=", builder.bitcast(mask, ir.IntType(LANES)), ir.Constant(ir.IntType(LANES), 0))


any_of = instruction(types.boolean, (MASK,), _some_bit)
