"""Every error that Tandem raises on purpose.

    TandemError                 what went wrong, and how to mend it, in one line
    +-- ConfigError             a setting is missing, unknown or malformed       stop
    +-- DataError               bars or files that cannot be used                stop
    |   +-- InvalidBar          one bar breaks a law of prices                   stop
    +-- StoreError              PostgreSQL is away or refuses                    retry
    |   +-- FactConflict        a fact's key was recorded with another content   stop
    +-- RecyclerError           the local Alpaca cannot start or answer          stop
    +-- BrokerError             the broker refused, for a reason                 stop
        +-- OutcomeUnknown      nobody knows whether the order was taken         ask

`after` says what the caller may do next: `stop`, `retry`, or `ask` (never send again before asking).
"""

from typing import ClassVar, Literal

Next = Literal["stop", "retry", "ask"]


class TandemError(Exception):
    """Something that a person can mend: what happened, and the mend."""

    after: ClassVar[Next] = "stop"

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.what}. {self.mend}" if self.mend else self.what


class ConfigError(TandemError):
    """A setting is missing, unknown or malformed."""


class DataError(TandemError):
    """Bars or files that cannot be used."""


class InvalidBar(DataError):
    """A bar that breaks a law of prices: finite, positive, high >= low, volume >= 0."""


class StoreError(TandemError):
    """PostgreSQL is away or refuses."""

    after: ClassVar[Next] = "retry"


class FactConflict(StoreError):
    """A fact's key was recorded before with another content."""

    after: ClassVar[Next] = "stop"


class RecyclerError(TandemError):
    """The local Alpaca cannot start or answer."""


class BrokerError(TandemError):
    """The broker refused an order or a question, for a reason."""


class OutcomeUnknown(BrokerError):
    """An order was sent and nobody knows whether it was taken: ask before sending again."""

    after: ClassVar[Next] = "ask"
