"""A dataset folder, read and checked: `datapackage.json` says what `patients.csv` means.

Everything that the book knows of a dataset's own columns comes through here: their labels,
levels, factors and characteristics. Only the reserved columns below have a meaning in code.
"""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = json.loads(Path(__file__).with_name("datapackage.schema.json").read_text("utf-8"))

REQUIRED = ("patient_id", "last_contact_day", "died")
EVENT_DAYS = ("response_day", "mrd_response_day", "hsct_day", "relapse_day")
RESERVED = {
    "patient_id": "Patient",
    "response_day": "Response",
    "mrd_response_day": "MRD response",
    "hsct_day": "Transplant",
    "relapse_day": "Relapse",
    "last_assessment_day": "Last disease assessment",
    "last_contact_day": "Last contact",
    "died": "Died",
}
PUBLISHED = ("page", "quantity", "group", "months", "part", "printed", "place", "note")
# What a match with a printed number is worth; `given` is listed and never recomputed.
KINDS = ("calibrated", "emergent", "contradiction", "given")
LISTED_AT_MOST = 20  # problems of one kind in one column: the rest are counted, not listed


class DataError(ValueError):
    """A dataset folder that cannot be used. `problems` holds one line for each thing to mend."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class NotRecorded(LookupError):
    """What a page needs is not in the dataset. The message is one sentence for the reader."""


@dataclass(frozen=True)
class Settings:
    """How to read the days: the `analysis` object without its lists. Months unless named days."""

    time_origin: str
    days_per_month: float = 30.4375
    months: tuple[float, ...] = (12, 24, 36, 48, 60)
    long_term_months: float = 35
    synthetic: bool = False
    population: str = "patients"
    treatment: str = ""
    abbreviations: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Factor:
    """One line of Table 3. Without `numerator` a baseline factor is continuous."""

    column: str
    label: str
    kind: str
    numerator: tuple[str, ...] = ()
    denominator: tuple[str, ...] = ()
    among: str | None = None
    before: str | None = None
    endpoints: tuple[str, ...] = ("os", "rfs")


@dataclass(frozen=True)
class Characteristic:
    """One entry of the tables of characteristics: a number's statistics or a category's levels."""

    column: str
    label: str
    kind: str
    statistics: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    among: str | None = None


@dataclass(frozen=True)
class Dataset:
    """A checked dataset.

    `patients` has one row a patient: numbers are float (NaN where blank), all else is text (None
    where blank). `published` has a row for each place of each printed number, with the columns
    of PUBLISHED and `kind`, or has no rows.
    """

    name: str
    title: str
    description: str
    public: bool
    package: dict
    settings: Settings
    fields: tuple[dict, ...]
    factors: tuple[Factor, ...]
    characteristics: tuple[Characteristic, ...]
    patients: pd.DataFrame
    published: pd.DataFrame

    def label(self, column: str) -> str:
        """The dataset's own name for a column: its title in the schema."""
        titles = {field["name"]: field.get("title") for field in self.fields}
        return titles.get(column) or RESERVED.get(column) or column

    def months(self, days: float) -> float:
        """Days from an origin as months."""
        return days / self.settings.days_per_month

    def require(self, purpose: str, *columns: str) -> None:
        """Raise NotRecorded unless the dataset has every one of these columns."""
        for column in columns:
            if column not in self.patients:
                what = RESERVED.get(column, column)
                raise NotRecorded(
                    f"{purpose} cannot be shown: this dataset does not record “{what}” "
                    f"(it has no column {column})."
                )

    def happened(self, column: str) -> pd.Series:
        """True for the patients in whom it did: `yes`, or a day that is not blank."""
        values = self.patients[column]
        if pd.api.types.is_numeric_dtype(values):
            return values.notna()
        return values.eq("yes")


def load(folder: str | Path) -> Dataset:
    """Read and check a dataset folder.

    A relative `folder` counts from the root of the repository, so that a notebook finds it
    wherever it is run. Raises DataError with every problem found.
    """
    folder = ROOT / folder
    package = _read_package(folder)
    _raise_any(_schema_problems(package))
    resource = package["resources"][0]
    fields = tuple(resource["schema"]["fields"])
    _raise_any(_package_problems(package, fields))
    text = _read_table(folder / resource["path"])
    _raise_any(_table_problems(text, fields))
    patients = _typed(text, fields)
    _raise_any(_order_problems(patients))
    return Dataset(
        name=package["name"],
        title=package["title"],
        description=package.get("description", ""),
        public=package.get("public", False),
        package=package,
        settings=_settings(package["analysis"]),
        fields=fields,
        factors=tuple(_factor(entry) for entry in package["analysis"].get("factors", [])),
        characteristics=_characteristics(package["analysis"], fields),
        patients=patients,
        published=_read_published(folder / "published.csv"),
    )


# --- reading ---------------------------------------------------------------------------------


def _read_package(folder: Path) -> dict:
    path = folder / "datapackage.json"
    if not path.is_file():
        raise DataError([f"{path}: not found; a dataset is a folder with a datapackage.json"])
    try:
        return json.loads(path.read_text("utf-8-sig"))
    except json.JSONDecodeError as error:
        where = f"row {error.lineno}, column {error.colno}"
        raise DataError([f"datapackage.json, {where}: not valid JSON: {error.msg}"]) from error
    except UnicodeDecodeError as error:
        raise DataError(["datapackage.json: not UTF-8 text; save it as UTF-8"]) from error


def _read_table(path: Path) -> pd.DataFrame:
    """Every cell as stripped text. Row r of the frame is row r + 2 of the file."""
    if not path.is_file():
        raise DataError([f"{path.name}: not found beside datapackage.json, which names it"])
    try:
        text = path.read_bytes().decode("utf-8-sig")
        table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, index_col=False)
    except UnicodeDecodeError as error:
        row = path.read_bytes()[: error.start].count(b"\n") + 1
        raise DataError([f"{path.name}, row {row}: not UTF-8 text; save it as UTF-8"]) from error
    except pd.errors.EmptyDataError as error:
        raise DataError([f"{path.name}: empty; expected a header and a row a patient"]) from error
    except pd.errors.ParserError as error:
        raise DataError([f"{path.name}: not a comma-separated table: {error}"]) from error
    return table.apply(lambda column: column.str.strip())


def _read_published(path: Path) -> pd.DataFrame:
    """The printed numbers; a file without the column `kind` has a blank one."""
    if not path.is_file():
        return pd.DataFrame(columns=[*PUBLISHED, "kind"])
    published = _read_table(path)
    if list(published.columns) == list(PUBLISHED):
        published["kind"] = ""
    elif list(published.columns) != [*PUBLISHED, "kind"]:
        raise DataError(
            [
                f"published.csv, row 1: found {list(published.columns)}, "
                f"expected {list(PUBLISHED)}, and kind if you like"
            ]
        )
    _raise_any(_published_problems(published))
    return published.assign(months=pd.to_numeric(published["months"].replace("", None)))


def _typed(text: pd.DataFrame, fields: tuple[dict, ...]) -> pd.DataFrame:
    """Text as the schema's types; the categories stay text."""
    columns = {}
    for field in fields:
        column = text[field["name"]]
        if _is_number(field):
            columns[field["name"]] = pd.to_numeric(column.replace("", None)).astype(float)
        else:
            columns[field["name"]] = column.where(column != "", None)
    return pd.DataFrame(columns)


def _settings(analysis: dict) -> Settings:
    given = {key: analysis[key] for key in Settings.__dataclass_fields__ if key in analysis}
    if "months" in given:
        given["months"] = tuple(sorted(given["months"]))
    return Settings(**given)


def _factor(entry: dict) -> Factor:
    lists = {
        key: tuple(str(value) for value in entry[key])
        for key in ("numerator", "denominator", "endpoints")
        if key in entry
    }
    return Factor(**{**entry, **lists})


def _characteristics(analysis: dict, fields: tuple[dict, ...]) -> tuple[Characteristic, ...]:
    """The rows that the dataset asks for, or every column of its own that is no event."""
    by_name = {field["name"]: field for field in fields}
    entries = analysis.get("characteristics")
    if entries is None:
        factors = analysis.get("factors", [])
        helpers = {entry.get("among") for entry in factors}
        days = {entry["column"] for entry in factors if entry["kind"] == "postbaseline"}
        entries = [
            {"column": name, "kind": "baseline"}
            for name in by_name
            if name not in {*RESERVED, *helpers, *days}
        ]
    return tuple(_characteristic(entry, by_name[entry["column"]]) for entry in entries)


def _characteristic(entry: dict, field: dict) -> Characteristic:
    number = _is_number(field)
    levels = entry.get("levels") or field.get("constraints", {}).get("enum") or ()
    return Characteristic(
        column=entry["column"],
        label=entry.get("label") or field.get("title") or entry["column"],
        kind=entry["kind"],
        statistics=tuple(entry.get("statistics", ("median", "mean"))) if number else (),
        levels=() if number else tuple(str(level) for level in levels),
        among=entry.get("among"),
    )


def _is_number(field: dict) -> bool:
    """A day is a number whatever the schema says of it."""
    name = field["name"]
    is_day = name in RESERVED and name.endswith("_day")
    return is_day or field.get("type") in ("integer", "number")


# --- checking: each yields one line for each problem ------------------------------------------


def _raise_any(problems: Iterator[str]) -> None:
    found = list(problems)
    if found:
        raise DataError(found)


def _schema_problems(package: dict) -> Iterator[str]:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    for error in sorted(validator.iter_errors(package), key=lambda error: error.json_path):
        yield f"datapackage.json, {error.json_path}: {error.message}"


def _package_problems(package: dict, fields: tuple[dict, ...]) -> Iterator[str]:
    names = [field["name"] for field in fields]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"datapackage.json, fields: {name} is described twice"
    for column in REQUIRED:
        if column not in names:
            yield f"datapackage.json, fields: the required column {column} is not described"
    for part in ("factors", "characteristics"):
        for number, entry in enumerate(package["analysis"].get(part, []), start=1):
            for key in ("column", "among", "before"):
                if key in entry and entry[key] not in names:
                    yield (
                        f"datapackage.json, analysis.{part} {number}, {key}: found "
                        f'"{entry[key]}", expected a column that fields describes'
                    )
            yield from _level_problems(f"analysis.{part} {number}", entry, fields)
        yield from _twice(part, package["analysis"].get(part, []))
    for number, entry in enumerate(package["analysis"].get("factors", []), start=1):
        yield from _kind_problems(f"analysis.factors {number}", entry, fields)


def _level_problems(place: str, entry: dict, fields: tuple[dict, ...]) -> Iterator[str]:
    """A level that the column's own list does not hold is a slip of the pen."""
    enums = {field["name"]: field.get("constraints", {}).get("enum") for field in fields}
    known = [str(level) for level in enums.get(entry["column"]) or []]
    for key in ("numerator", "denominator", "levels"):
        for level in entry.get(key, []):
            if known and str(level) not in known:
                yield (
                    f'datapackage.json, {place}, {key}: found "{level}", '
                    f"expected one of {', '.join(known)}"
                )


def _twice(part: str, entries: list[dict]) -> Iterator[str]:
    """Results are named by their column, so a column can stand in a list once."""
    columns = [entry["column"] for entry in entries]
    for column in sorted({column for column in columns if columns.count(column) > 1}):
        yield (
            f"datapackage.json, analysis.{part}: found {column} twice, expected it once; "
            "a second contrast needs a column of its own"
        )


def _kind_problems(place: str, entry: dict, fields: tuple[dict, ...]) -> Iterator[str]:
    """Days, and baseline factors without sides, are read as numbers."""
    field = next((field for field in fields if field["name"] == entry["column"]), None)
    if field and "numerator" not in entry and not _is_number(field):
        what = "numerator and denominator" if entry["kind"] == "baseline" else "a column of days"
        yield (
            f"datapackage.json, {place}, column {entry['column']}: found a column of text, "
            f"expected {what}, or type integer or number"
        )


def _table_problems(text: pd.DataFrame, fields: tuple[dict, ...]) -> Iterator[str]:
    names = [field["name"] for field in fields]
    for name in names:
        if name not in text:
            yield f"patients.csv, row 1: column {name} is missing; datapackage.json describes it"
    for name in text.columns.difference(names, sort=False):
        yield f"patients.csv, row 1: column {name} is not described in datapackage.json"
    if text.empty:
        yield "patients.csv: no patients; expected a row each"
    for field in fields:
        if field["name"] in text:
            yield from _column_problems(text[field["name"]], field)


def _column_problems(values: pd.Series, field: dict) -> Iterator[str]:
    limits = field.get("constraints", {})
    name = field["name"]
    blank = values == ""
    if limits.get("required") or name in REQUIRED:
        yield from _listed(values, blank, "a value")
    if limits.get("unique") or name == "patient_id":
        yield from _listed(values, ~blank & values.duplicated(), "a value that no other row has")
    if name == "died":
        yield from _listed(values, ~blank & ~values.isin(["yes", "no"]), "yes or no")
    elif "enum" in limits:
        levels = [str(level) for level in limits["enum"]]
        yield from _listed(values, ~blank & ~values.isin(levels), "one of " + ", ".join(levels))
    if _is_number(field):
        yield from _number_problems(values, field)


def _number_problems(values: pd.Series, field: dict) -> Iterator[str]:
    limits = field.get("constraints", {})
    numbers = pd.to_numeric(values, errors="coerce")
    finite = numbers.abs() < float("inf")
    yield from _listed(values, (values != "") & ~finite, "a number, with a point for decimals")
    if field.get("type") == "integer":
        yield from _listed(values, finite & (numbers % 1 != 0), "a whole number")
    least = 0 if field["name"] in RESERVED else limits.get("minimum")
    if least is not None:
        yield from _listed(values, finite & (numbers < least), f"{least} or more")
    if "maximum" in limits:
        most = limits["maximum"]
        yield from _listed(values, finite & (numbers > most), f"{most} or less")


def _order_problems(patients: pd.DataFrame) -> Iterator[str]:
    """Events in an order that no life can have."""
    last = patients["last_contact_day"]
    for column in (*EVENT_DAYS, "last_assessment_day"):
        if column in patients:
            late = patients[column] > last
            yield from _listed(patients[column], late, "a day not after last_contact_day")
    if "response_day" in patients:
        for column in ("relapse_day", "last_assessment_day"):
            if column in patients:
                early = patients[column] < patients["response_day"]
                yield from _listed(patients[column], early, "a day not before response_day")


def _published_problems(published: pd.DataFrame) -> Iterator[str]:
    """The text of `printed` says its own precision, so it must be a plain number, or yes or no."""
    months, printed, part = (published[name] for name in ("months", "printed", "part"))
    file = "published.csv"
    wrong = (months != "") & pd.to_numeric(months, errors="coerce").isna()
    yield from _listed(months, wrong, "a number of months, or blank", file)
    plain = printed.str.fullmatch(r"\d+(\.\d+)?|\.\d+|yes|no")
    yield from _listed(printed, ~plain, "a plain number, or yes or no", file)
    parts = ["estimate", "lower", "upper"]
    yield from _listed(part, ~part.isin(parts), "one of " + ", ".join(parts), file)
    kind = published["kind"]
    wrong = ~kind.isin(["", *KINDS])
    yield from _listed(kind, wrong, f"one of {', '.join(KINDS)}, or blank", file)
    page, quantity = published["page"], published["quantity"]
    yield from _listed(page, (page == "") & (kind != "given"), "a page, such as figure_1a", file)
    wrong = (quantity == "given") != (kind == "given")
    yield from _listed(kind, wrong, "given where the quantity is given, and nowhere else", file)
    # One row for each place: the same row twice would count one number twice.
    keys = ["page", "quantity", "group", "months", "part", "place"]
    twice = published.duplicated(keys)
    yield from _listed(
        published["place"], twice, "a place where no other row has this number", file
    )


def _listed(
    values: pd.Series, wrong: pd.Series, expected: str, file: str = "patients.csv"
) -> Iterator[str]:
    rows = wrong.to_numpy().nonzero()[0]
    for row in rows[:LISTED_AT_MOST]:
        found = values.iloc[row]
        found = f"{found:g}" if isinstance(found, float) else f'"{found}"'
        yield f"{file}, row {row + 2}, column {values.name}: found {found}, expected {expected}"
    if len(rows) > LISTED_AT_MOST:
        more = len(rows) - LISTED_AT_MOST
        yield f"{file}, column {values.name}: {more} more rows, expected {expected}"
