"""What a client asks in one request, in the forms that MLflow's scoring server takes."""

from typing import Any, Final

import msgspec

from tandem.market import DataError

Row = dict[str, Any]

FORMS: Final = ("dataframe_split", "dataframe_records", "inputs", "instances")
MEND: Final = f"The body is a JSON object with one of {', '.join(FORMS)}"


class _Split(msgspec.Struct):
    columns: list[str]
    data: list[list[Any]]


def rows_of(body: bytes) -> list[Row]:
    """The rows of a request's body, column names to values.

    `dataframe_split` is `{columns, data}`, `dataframe_records` and `instances` are lists of objects, `inputs` is an
    object of columns or a list of objects; whatever else stands beside them is passed over.

    Raises:
        DataError: it is none of these; one line that says why.
    """
    try:
        asked = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"the body is no JSON: {error}", MEND) from None
    except RecursionError:
        raise DataError("the body is nested too deeply", MEND) from None
    forms = [form for form in FORMS if form in asked] if isinstance(asked, dict) else []
    if len(forms) != 1:
        raise DataError(f"the body has {' and '.join(forms) or 'none of the known forms'}", MEND)
    form = forms[0]
    given = asked[form]
    if form == "dataframe_split":
        return _split(given)
    if form == "inputs" and isinstance(given, dict):
        return _columns(given)
    return _records(given, form)


def _split(given: Any) -> list[Row]:
    try:
        split = msgspec.convert(given, _Split)
    except msgspec.ValidationError as error:
        raise DataError(f"dataframe_split: {error}", "It is {columns: [names], data: [rows]}") from None
    if wrong := [place for place, row in enumerate(split.data) if len(row) != len(split.columns)]:
        raise DataError(f"dataframe_split: row {wrong[0]} does not have {len(split.columns)} values")
    return [dict(zip(split.columns, row, strict=True)) for row in split.data]


def _columns(given: dict[str, Any]) -> list[Row]:
    lengths = {len(values) if isinstance(values, list) else None for values in given.values()}
    if len(lengths) > 1 or None in lengths:
        raise DataError("inputs: its columns are no lists of one length")
    return [dict(zip(given, row, strict=True)) for row in zip(*given.values(), strict=True)]


def _records(given: Any, form: str) -> list[Row]:
    if not isinstance(given, list) or not all(isinstance(row, dict) for row in given):
        raise DataError(f"{form} is no list of objects")
    return given
