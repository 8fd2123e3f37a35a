"""Arithmetic on whole registers of float32, as the machine does it.

The compiler's own vectors stop at half a register of AVX-512 and ask first whether arrays overlap; for loops over 64
units that costs two thirds of their time. A formula here is a Python function of operands: with registers
it becomes instructions, with NumPy arrays it is its own plain twin.
"""

from collections.abc import Callable
from typing import Any, Final, Self, TypeVar, cast

import numba
import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils as _cgutils
from numba.extending import intrinsic as _intrinsic
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Loop = TypeVar("Loop", bound=Callable[..., Any])

# Their types tell too little to check with.
cgutils: Final[Any] = _cgutils
intrinsic: Final[Any] = _intrinsic

# Sixteen float32 fill a register of AVX-512, eight one of AVX2.
WIDE: Final = bool(binding.get_host_cpu_features().get("avx512f", False))
LANES: Final = 16 if WIDE else 8
KIND: Final = ir.VectorType(ir.FloatType(), LANES)
FLAGS: Final = ("contract", "nsz")
OPTIONS: Final[dict[str, Any]] = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": set(FLAGS)}


def entry(loop: Loop) -> Loop:
    """A compiled loop that Python calls."""
    return cast(Loop, numba.njit(**OPTIONS)(loop))


def compiled(loop: Loop) -> Loop:
    """A compiled loop that others alone call."""
    options: dict[str, Any] = {**OPTIONS, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast(Loop, numba.njit(**options)(loop))


class Register:
    """The floats of one register: what its instructions give."""

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder, self.value = builder, value

    @classmethod
    def load(cls, builder: Any, array: Any, at: Any) -> Self:
        """The floats from a place on."""
        return cls(builder, builder.load(_place(builder, array, at), align=4))

    @classmethod
    def spread(cls, builder: Any, scalar: Any) -> Self:
        """One float in every lane."""
        nothing, index = ir.Constant(KIND, ir.Undefined), ir.VectorType(ir.IntType(32), LANES)
        first = builder.insert_element(nothing, scalar, ir.Constant(ir.IntType(32), 0))
        return cls(builder, builder.shuffle_vector(first, nothing, ir.Constant(index, [0] * LANES)))

    def store(self, array: Any, at: Any) -> None:
        """Put the floats there."""
        self.builder.store(self.value, _place(self.builder, array, at), align=4)

    def __add__(self, other: "Register | float") -> "Register":
        return self._new(self.builder.fadd(self.value, self._value_of(other), flags=FLAGS))

    def __sub__(self, other: "Register | float") -> "Register":
        return self._new(self.builder.fsub(self.value, self._value_of(other), flags=FLAGS))

    def __mul__(self, other: "Register | float") -> "Register":
        return self._new(self.builder.fmul(self.value, self._value_of(other), flags=FLAGS))

    def __truediv__(self, other: "Register") -> "Register":
        return self._new(self.builder.fdiv(self.value, other.value, flags=FLAGS))

    def __rtruediv__(self, other: float) -> "Register":
        return self._new(self.builder.fdiv(self._value_of(other), self.value, flags=FLAGS))

    def __rsub__(self, other: float) -> "Register":
        return self._new(self.builder.fsub(self._value_of(other), self.value, flags=FLAGS))

    __radd__, __rmul__ = __add__, __mul__

    def clip(self, low: float, high: float) -> "Register":
        """Nothing below `low` or above `high`; what is no number stays none."""
        return self._bound("<", low)._bound(">", high)

    def _bound(self, beyond: str, limit: float) -> "Register":
        edge = self._value_of(limit)
        return self._new(self.builder.select(self.builder.fcmp_ordered(beyond, self.value, edge), edge, self.value))

    def _value_of(self, other: "Register | float") -> Any:
        return other.value if isinstance(other, Register) else ir.Constant(KIND, [float(other)] * LANES)

    def _new(self, value: Any) -> "Register":
        return Register(self.builder, value)


def _place(builder: Any, array: Any, at: Any) -> Any:
    return builder.bitcast(builder.gep(array, [at]), KIND.as_pointer())


def data_of(context: Any, builder: Any, kind: Any, array: Any) -> Any:
    """Where an array's floats begin."""
    return context.make_array(kind)(context, builder, array).data


Gates = tuple[Any, Any, Any, Any, Any, Any]


def over_units(formula: Callable[..., Gates]) -> Any:
    """A compiled loop over the units of one sequence at one step, a register at a time.

    It is called as `loop(gates, row, width, states, before, others, beside)`: flat arrays, places in floats. The
    formula is given the four columns of the row of gates, the states and the others, and gives what is to
    stand there then, None for what stays.
    """

    @intrinsic  # type: ignore[untyped-decorator]
    def loop(_: Any, gates: Any, row: Any, width: Any, states: Any, before: Any, others: Any, beside: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            of_gates, of_states, of_others = (
                data_of(context, builder, signature.args[at], args[at]) for at in (0, 3, 5)
            )
            _, row, width, _, before, _, beside = args
            columns = [(of_gates, builder.add(row, builder.mul(width, ir.Constant(width.type, at)))) for at in range(4)]
            starts = [*columns, (of_states, before), (of_others, beside)]
            lanes = ir.Constant(width.type, LANES)
            with cgutils.for_range(builder, builder.udiv(width, lanes)) as each:
                unit = builder.mul(each.index, lanes)
                places = [(array, builder.add(start, unit)) for array, start in starts]
                given = formula(*(Register.load(builder, *place) for place in places))
                for place, register in zip(places, given, strict=True):
                    if register is not None:
                        register.store(*place)
            return context.get_dummy_value()

        size = types.intp
        return types.void(gates, size, size, states, size, others, size), emit

    return loop
