"""Matrix products of the sizes that a GRU has, compiled.

A tile is a few rows and columns of the product, kept in registers while the sum runs; the shape is that of
Goto and van de Geijn's micro-kernel (ACM TOMS 34(3), 2008). Each entry is summed in the order of its terms,
so it depends on its own row and column alone: neither the rows beside it nor the number of threads change a bit.
Any strides are served, which BLAS through Numba does not, and no library's threads have to be held.
"""

from typing import Any, Final

from llvmlite import ir
from numba import types

from tandem.forecast.gru.registers import KIND, LANES, WIDE, Floats, Register, cgutils, compiled, data_of, intrinsic

# A tile of 4 x 6 registers needs the 32 of AVX-512, one of 4 x 3 the 16 of AVX2.
ACROSS: Final = 6 if WIDE else 3
DOWN: Final = 4
# As many terms of a sum as let the columns of a tile stay in the first cache while it goes down the rows.
DEEP: Final = 64


@intrinsic  # type: ignore[untyped-decorator]
def _add_tile(
    _: Any, down: Any, across: Any, a: Any, a_at: Any, a_row: Any, a_term: Any, b: Any, b_at: Any, b_term: Any,
    c: Any, c_at: Any, c_row: Any, terms: Any,
) -> Any:  # fmt: skip
    size = types.intp
    signature = types.void(size, size, a, size, size, size, b, size, size, c, size, size, size)
    return signature, lambda *emitted: _Tile(*emitted).emit()


class _Tile:
    """The instructions of a tile: a way for each shape, taken by the shape that is asked for."""

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any) -> None:
        self.context, self.builder = context, builder
        self.a, self.b, self.c = (data_of(context, builder, signature.args[at], args[at]) for at in (2, 6, 9))
        self.down, self.across, _, self.a_at, self.a_row, self.a_term = args[:6]
        _, self.b_at, self.b_term, _, self.c_at, self.c_row, self.terms = args[6:]
        self.multiply_add = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(KIND, [KIND] * 3), f"llvm.fmuladd.v{LANES}f32"
        )

    def emit(self) -> Any:
        # Inlined in each of its places it would take the compiler ten seconds longer and run no faster.
        self.builder.function.attributes.add("noinline")
        for down in (DOWN, 1):
            for across in range(ACROSS, 0, -1):
                with self.builder.if_then(self._is_shape(down, across)):
                    self._emit_shape(range(down), range(across))
        return self.context.get_dummy_value()

    def _is_shape(self, down: int, across: int) -> Any:
        builder = self.builder
        as_high = builder.icmp_signed("==", self.down, ir.Constant(self.down.type, down))
        return builder.and_(as_high, builder.icmp_signed("==", self.across, ir.Constant(self.across.type, across)))

    def _emit_shape(self, down: range, across: range) -> None:
        places = [self._plus(self._plus(self.c_at, self.c_row, row), LANES, at) for row in down for at in across]
        sums = [cgutils.alloca_once(self.builder, KIND) for _ in places]
        for total, place in zip(sums, places, strict=True):
            self.builder.store(Register.load(self.builder, self.c, place).value, total)
        with cgutils.for_range(self.builder, self.terms) as loop:
            self._add_term(loop.index, down, across, sums)
        for total, place in zip(sums, places, strict=True):
            Register(self.builder, self.builder.load(total)).store(self.c, place)

    def _add_term(self, term: Any, down: range, across: range, sums: list[Any]) -> None:
        builder = self.builder
        of_a, of_b = self._plus(self.a_at, self.a_term, term), self._plus(self.b_at, self.b_term, term)
        columns = [Register.load(builder, self.b, self._plus(of_b, LANES, at)).value for at in across]
        for row in down:
            factor = Register.spread(builder, builder.load(builder.gep(self.a, [self._plus(of_a, self.a_row, row)])))
            for at, column in zip(across, columns, strict=True):
                total = sums[row * len(across) + at]
                builder.store(builder.call(self.multiply_add, [factor.value, column, builder.load(total)]), total)

    def _plus(self, at: Any, stride: Any, count: Any) -> Any:
        stride, count = (ir.Constant(at.type, given) if isinstance(given, int) else given for given in (stride, count))
        return self.builder.add(at, self.builder.mul(stride, count))


@compiled
def add_product(
    a: Floats, a_row: int, a_term: int, b: Floats, b_term: int, c: Floats, c_row: int,
    rows: int, terms: int, columns: int,
) -> None:  # fmt: skip
    """Add a product to what stands in c: `c[row, column] += sum over terms of a[row, term] b[term, column]`.

    Args:
        a, b, c: floats in a row, from the first that counts.
        a_row, c_row: from one row to the next, in floats.
        a_term, b_term: from one term to the next, in floats.
        rows: of a and c.
        terms: of the sum.
        columns: of b and c, one after the other in memory; a multiple of LANES.
    """
    for term in range(0, terms, DEEP):
        deep = min(DEEP, terms - term)
        for left in range(0, columns, ACROSS * LANES):
            across = min(ACROSS, (columns - left) // LANES)
            row = 0
            while row < rows:
                down = DOWN if rows - row >= DOWN else 1
                a_at, b_at, c_at = row * a_row + term * a_term, term * b_term + left, row * c_row + left
                _add_tile(down, across, a, a_at, a_row, a_term, b, b_at, b_term, c, c_at, c_row, deep)
                row += down
