"""The gates of a GRU, forward and back, on registers or on NumPy arrays."""

from typing import Any, Final

from tandem.forecast.gru.registers import Gates

# tanh as x P(x^2) / Q(x^2): the coefficients of Eigen (MPL 2.0), right to some units in the last place; 1 from END on.
END: Final = 7.90531110763549805
ABOVE: Final = (
    -2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-08,
    1.48572235717979e-05, 6.37261928875436e-04, 4.89352455891786e-03,
)  # fmt: skip
BELOW: Final = (1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03)


def tanh(x: Any) -> Any:
    """The hyperbolic tangent, to 2e-7."""
    above, below = _parts(x)
    return above / below


def sigmoids(x: Any, y: Any) -> tuple[Any, Any]:
    """The logistic function of both, to 2e-7, with one division: the slowest instruction here."""
    (above_x, below_x), (above_y, below_y) = _parts(0.5 * x), _parts(0.5 * y)
    half = 0.5 / (below_x * below_y)
    return above_x * (below_y * half) + 0.5, above_y * (below_x * half) + 0.5


def _parts(x: Any) -> tuple[Any, Any]:
    x = x.clip(-END, END)
    square = x * x
    return x * _polynomial(square, ABOVE), _polynomial(square, BELOW)


def forward(fresh: Any, reset: Any, update: Any, past: Any, before: Any, _after: Any) -> Gates:
    """The gates and the state after, from what goes into the gates and the state before."""
    reset, update = sigmoids(reset, update)
    fresh = tanh(fresh + reset * past)
    return fresh, reset, update, None, None, fresh + update * (before - fresh)


def backward(fresh: Any, reset: Any, update: Any, past: Any, before: Any, slope: Any) -> Gates:
    """The loss's derivatives for what goes into the gates, from the slope for the state after; last, what it keeps."""
    kept = slope * update
    of_fresh = (slope - kept) * (1.0 - fresh * fresh)
    of_past = of_fresh * reset
    return of_fresh, of_past * past * (1.0 - reset), kept * (before - fresh) * (1.0 - update), of_past, None, kept


def _polynomial(x: Any, coefficients: tuple[float, ...]) -> Any:
    value: Any = coefficients[0]
    for coefficient in coefficients[1:]:
        value = x * value + coefficient
    return value
