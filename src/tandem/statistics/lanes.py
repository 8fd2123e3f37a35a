"""Eight float64 side by side, one of each of eight series: loops on eight at little more than the price of one.

A recursion in time has to be gone through bar by bar, so a compiler cannot widen it. Over series it can be widened,
and a type of eight numbers says so outright: the processor's own vectors where it has them, fewer numbers at once
elsewhere. Every operation works on each lane by itself, so what is in a lane does not depend on its neighbours.
"""

import operator
from collections.abc import Callable
from typing import Any, Final, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

LANES: Final = 8
FLAGS: Final = ("contract", "nsz")
MANTISSA_BITS: Final = 52
BIAS: Final = 1023

Lanes = Any
Operation = Callable[..., Any]

_FLOATS: Final = ir.VectorType(ir.DoubleType(), LANES)
_WORDS: Final = ir.VectorType(ir.IntType(64), LANES)


class LanesType(types.Type):
    """Numba's type of eight float64."""

    def __init__(self) -> None:
        super().__init__(name=f"float64x{LANES}")


lanes_type: Final = LanesType()


@register_model(LanesType)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, type_: Any) -> None:
        super().__init__(manager, type_, _FLOATS)  # type: ignore[no-untyped-call]


def operation(typed: Callable[..., Any]) -> Operation:
    """An instruction for compiled loops: from the types of its arguments, its own type and what it is made of."""
    return cast(Operation, intrinsic(typed))


def _words(value: int) -> ir.Constant:
    return ir.Constant(_WORDS, [value] * LANES)


def _place(context: Any, builder: Any, types_: Any, values: Any) -> Any:
    matrix = context.make_array(types_[0])(context, builder, values[0])
    row = context.cast(builder, values[1], types_[1], types.intp)
    place = builder.gep(matrix.data, [builder.mul(row, ir.Constant(row.type, LANES))])
    return builder.bitcast(place, _FLOATS.as_pointer())


@operation
def load(_context: Any, matrix: Any, row: Any) -> Any:
    """A row of a C-contiguous matrix, shape [any, LANES]."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        found = builder.load(_place(context, builder, signature.args, values))
        found.align = 8
        return found

    return lanes_type(matrix, row), code


@operation
def store(_context: Any, matrix: Any, row: Any, _value: Any) -> Any:
    """Write lanes as a row of such a matrix."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store(values[2], _place(context, builder, signature.args, values), align=8)
        return context.get_dummy_value()

    return types.void(matrix, row, lanes_type), code


@operation
def splat(_context: Any, number: Any) -> Any:
    """The same number in every lane."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        one = context.cast(builder, values[0], signature.args[0], types.float64)
        nothing = ir.Constant(_FLOATS, ir.Undefined)
        first = builder.insert_element(nothing, one, ir.Constant(ir.IntType(32), 0))
        return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))

    return lanes_type(number), code


@operation
def at_least(_context: Any, _value: Any, _least: Any) -> Any:
    """The larger of two, lane by lane; the second where the first is no number."""

    def code(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *values), *values)

    return lanes_type(lanes_type, lanes_type), code


@operation
def mantissa(_context: Any, _value: Any) -> Any:
    """What is left of a positive normal number without its power of two, from 1 to below 2."""

    def code(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        bits = builder.and_(builder.bitcast(values[0], _WORDS), _words((1 << MANTISSA_BITS) - 1))
        return builder.bitcast(builder.or_(bits, _words(BIAS << MANTISSA_BITS)), _FLOATS)

    return lanes_type(lanes_type), code


@operation
def exponent(_context: Any, _value: Any) -> Any:
    """The power of two of a positive normal number."""

    def code(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        raised = builder.lshr(builder.bitcast(values[0], _WORDS), _words(MANTISSA_BITS))
        return builder.sitofp(builder.sub(raised, _words(BIAS)), _FLOATS)

    return lanes_type(lanes_type), code


@operation
def logarithm(_context: Any, _value: Any) -> Any:
    """Natural logarithms."""

    def code(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        kind = ir.FunctionType(_FLOATS, [_FLOATS])
        log = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, kind, f"llvm.log.v{LANES}f64"
        )
        return builder.call(log, values)

    return lanes_type(lanes_type), code


def _operator(symbol: Any, instruction: str) -> None:
    @operation
    def both(_context: Any, _left: Any, _right: Any) -> Any:
        def code(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            return getattr(builder, instruction)(*values, flags=FLAGS)

        return lanes_type(lanes_type, lanes_type), code

    @overload(symbol, strict=False)
    def _(left: Any, right: Any) -> Any:
        if isinstance(left, LanesType) and isinstance(right, LanesType):
            return lambda left, right: both(left, right)  # noqa: PLW0108
        if isinstance(left, LanesType) and isinstance(right, types.Number):
            return lambda left, right: both(left, splat(right))
        if isinstance(left, types.Number) and isinstance(right, LanesType):
            return lambda left, right: both(splat(left), right)
        return None


_operator(operator.add, "fadd")
_operator(operator.sub, "fsub")
_operator(operator.mul, "fmul")
_operator(operator.truediv, "fdiv")
