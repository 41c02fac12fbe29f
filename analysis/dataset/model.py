"""A dataset folder, read and checked: `datapackage.json` says what `patients.csv` means.

Everything that the book knows of a dataset's own columns comes through here: their labels,
levels, factors and characteristics. Only the reserved columns below have a meaning in code.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from .cells import numbers
from .checks import Contents, read_folder
from .columns import EVENT_DAYS, PUBLISHED, RESERVED, is_day, is_number, said
from .declared import MOST_GROUPS, group_problems
from .definitions import (
    Compare,
    Definition,
    Model,
    Recurrent,
    compare,
    definitions,
    level_text,
    model,
    recurrent,
)
from .problems import DataError

ROOT = Path(__file__).resolve().parents[2]
SEED = 20_260_730  # of patients drawn from very many
MOST_UNFOLDED = 100_000  # patients of a folded table who are looked at one by one


class NotRecorded(LookupError):
    """What a page needs is not in the dataset. The message is one sentence for the reader."""


class NoColumn(NotRecorded):
    """The dataset has never had the column."""


@dataclass(frozen=True)
class Settings:
    """How to read the days: the `analysis` object without its lists. Months unless named days."""

    time_origin: str
    days_per_month: float = 30.4375
    months: tuple[float, ...] = (12, 24, 36, 48, 60)
    long_term_months: float = 35
    carry_forward_months: float = 0
    synthetic: bool = False
    population: str = "patients"
    treatment: str = ""
    abbreviations: Mapping[str, str] = dataclasses.field(default_factory=dict)
    unit: str = "months"


@dataclass(frozen=True)
class Factor:
    """One line of Table 3, or with a `reference` one for each other of its `levels`.

    Without either a baseline factor is continuous, of the `form` linear or spline.
    """

    column: str
    label: str
    kind: str
    numerator: tuple[str, ...] = ()
    denominator: tuple[str, ...] = ()
    among: str | None = None
    before: str | None = None
    endpoints: tuple[str, ...] = ("os", "rfs")
    reference: str | None = None
    levels: tuple[str, ...] = ()
    form: str = "linear"

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns in the rows of a model: one, or `column=level` for each of its `others`.

        No column of a dataset has the sign = in its name.
        """
        if self.reference is None:
            return (self.column,)
        return tuple(f"{self.column}={level}" for level in self.others)

    @property
    def others(self) -> tuple[str, ...]:
        """The levels that are set against the reference."""
        return tuple(level for level in self.levels if level != self.reference)


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
    """A checked dataset. `endpoints` are by name: its own, or the paper's where it declares none.

    `patients` has one row a patient, or for those alike one with their `number`: numbers are float
    (NaN where blank), all else is text (None where blank). `published` has a row for each place of
    each printed number, with the columns of PUBLISHED and `kind`, or has no rows. Counts of
    patients from 1 to below `mask_below` are not to be shown; 0 shows all.
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
    endpoints: Mapping[str, Definition]
    compare: Compare | None
    models: tuple[Model, ...]
    patients: pd.DataFrame
    published: pd.DataFrame
    mask_below: int = 0
    drawn_from: int = 0  # the number of all patients, where these are a sample of them
    number: pd.Series | None = None  # of how many patients each row is, where of more than one
    recurrent: Mapping[str, Recurrent] = dataclasses.field(default_factory=dict)
    # Of each of these a row an event: the patient's `patient_id`, and its `day`.
    events: Mapping[str, pd.DataFrame] = dataclasses.field(default_factory=dict)
    # Its endpoints, once they have been asked for.
    made: dict = dataclasses.field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def size(self) -> int:
        """How many patients the dataset has, of whom these may be a sample."""
        return self.drawn_from or self.many(slice(None))

    def many(self, which: pd.Series | slice) -> int:
        """How many patients some rows are of."""
        if self.number is None:
            everybody = pd.Series(True, index=self.patients.index)
            return int(everybody[which].sum())
        return int(self.number[which].sum())

    def label(self, column: str) -> str:
        """The dataset's own name for a column: its title in the schema."""
        return _label(self.fields, column)

    def months(self, days: float) -> float:
        """Days from an origin as months."""
        return days / self.settings.days_per_month

    def days(self, months: float) -> float:
        """Months as days; `survival.met` finds the patients' own day that they name."""
        return months * self.settings.days_per_month

    def require(self, purpose: str, *columns: str) -> None:
        """Raise NotRecorded unless the dataset has every one of these columns."""
        for column in columns:
            if column not in self.patients:
                what = RESERVED.get(column, column)
                raise NoColumn(
                    f"{purpose} cannot be shown: this dataset does not record “{what}” "
                    f"(it has no column {column})."
                )

    def happened(self, column: str) -> pd.Series:
        """True for the patients in whom it did: a word for yes, or a day that is not blank."""
        values = self.patients[column]
        return values.notna() if self.is_day(column) else values.isin(self.yes(column))

    def yes(self, column: str) -> list[str]:
        """The words by which a column of text says yes."""
        return said(self._field(column), self.patients[column].dropna().unique())

    def levels(self, column: str) -> tuple[str, ...]:
        """The levels of a column, in the order of its schema or else of their names."""
        return levels(self._field(column), self.patients)

    def _field(self, column: str) -> dict:
        return next(field for field in self.fields if field["name"] == column)

    def first_level(self, column: str) -> str:
        """The first of the levels that a patient has: what the others are set against."""
        seen, known = {*self.groups(column).dropna()}, self.levels(column)
        return next((level for level in known if level in seen), known[0])

    def groups(self, column: str) -> pd.Series:
        """Each patient's level of a column, as text; missing where the cell is blank."""
        values = self.patients[column]
        if not pd.api.types.is_numeric_dtype(values):
            return values
        return values.map("{:g}".format).where(values.notna(), None)

    def compared(self, by: str | None = None) -> Compare | None:
        """What curves and tables are to be compared by: the dataset's own groups, or a column.

        `by` of None is what the dataset declares, and "" is nothing. A column that is chosen so
        has its first level as the reference. Raises DataError for one that is no column of levels.
        """
        if by is None and self.compare:
            first = self.first_level(self.compare.column)
            return replace(self.compare, reference=self.compare.reference or first)
        if not by:
            return None
        problems = list(group_problems("by", {"column": by}, {f["name"]: f for f in self.fields}))
        if problems:
            raise DataError([str(p).removeprefix("datapackage.json, ") for p in problems])
        found = self.levels(by)
        if not 2 <= len(found) <= MOST_GROUPS:
            expected = f"a column of 2 to {MOST_GROUPS} levels"
            raise DataError([f"by, column: found {len(found)} in {by}, expected {expected}"])
        return Compare(by, self.first_level(by))

    def is_day(self, column: str) -> bool:
        """Whether a column in which something happens gives its day, and not only `yes`."""
        return pd.api.types.is_numeric_dtype(self.patients[column])


_KEPT: dict[Path, tuple[list[tuple], Dataset]] = {}  # by folder, with the state of its files


def load(
    folder: str | Path, mask_below: int = 0, most: int | None = None, folded: bool = False
) -> Dataset:
    """Read and check a dataset folder; counts from 1 to below `mask_below` are not to be shown.

    A relative `folder` counts from the root of the repository, so that a notebook finds it
    wherever it is run. Of more than `most` patients so many are drawn, always the same. Only who
    asks for a `folded` table gets one, if it is so: rows with a `number` of patients alike, who all
    have to be counted. Others get its patients one by one, and of very many some that are drawn.
    Raises DataError with every problem found.
    """
    if type(mask_below) is not int or mask_below < 0:  # True would count as 1
        raise DataError([f"mask_below: found {mask_below!r}, expected 0 or a whole number"])
    state, kept = _KEPT.get(ROOT / folder, ([], None))
    whole = kept if kept and state == _state_of(folder) else _checked(folder)
    found = replace(whole, mask_below=mask_below)
    if found.number is not None:
        return found if folded and most is None else _unfolded(found, most or MOST_UNFOLDED)
    number = len(found.patients)
    if most is None or number <= most:
        return found
    drawn = found.patients.sample(most, random_state=SEED).sort_index().reset_index(drop=True)
    return replace(found, patients=drawn, drawn_from=number)


def _unfolded(dataset: Dataset, most: int) -> Dataset:
    """A folded dataset with a row a patient, of more than `most` as many by lot."""
    rows, drawn_from = one_by_one(dataset.number, most)
    patients = dataset.patients.iloc[rows].reset_index(drop=True)
    return replace(dataset, patients=patients, drawn_from=drawn_from, number=None)


def one_by_one(number: pd.Series, most: int = MOST_UNFOLDED) -> tuple[np.ndarray, int]:
    """The place of the row of each patient, in order; of more than `most` of a simple sample.

    `number` is of how many patients each row is. Also their number where they are a sample, or 0.
    """
    ends = number.to_numpy().cumsum()
    everybody = int(ends[-1])
    if everybody <= most:
        return np.repeat(np.arange(len(number)), number), 0
    random = np.random.default_rng(SEED)
    drawn = np.sort(random.choice(everybody, most, replace=False, shuffle=False))
    return np.searchsorted(ends, drawn, side="right"), everybody


def keep(*folders: str | Path, alone: bool = False) -> None:
    """Read dataset folders once for all copies of this process, until one of their files changes.

    `alone` lets go of all others. Raises DataError.
    """
    known = _KEPT.copy()
    if alone:
        _KEPT.clear()
    for folder in folders:
        kept, state = known.get(ROOT / folder), _state_of(folder)
        _KEPT[ROOT / folder] = kept if kept and kept[0] == state else (state, _checked(folder))


def _state_of(folder: str | Path) -> list[tuple]:
    files = sorted(path for path in (ROOT / folder).rglob("*") if path.is_file())
    stats = ((path, path.stat()) for path in files)
    return [(path, stat.st_mtime_ns, stat.st_size) for path, stat in stats]


def _checked(folder: str | Path) -> Dataset:
    contents = read_folder(ROOT / folder)
    if contents.problems:
        raise DataError(contents.problems)
    return dataset_of(contents)


def require_factor(datasets: Iterable[Dataset], column: object) -> None:
    """Raises DataError where a page is to show a factor or an event that no dataset has."""
    known = {factor.column for dataset in datasets for factor in dataset.factors}
    known |= {name for dataset in datasets for name in EVENT_DAYS if name in dataset.patients}
    if column and not (isinstance(column, str) and column in known):
        raise DataError([f"factor: found {column!r}, expected one of {', '.join(sorted(known))}"])


def dataset_of(contents: Contents, mask_below: int = 0) -> Dataset:
    """The dataset of a folder in which nothing is wrong."""
    package, fields = contents.package, contents.fields
    analysis, patients, number = package["analysis"], _typed(contents.text, fields), None
    if named := analysis.get("number"):
        number = patients.pop(named).astype(int)
        patients = patients.drop(columns="patient_id", errors="ignore")
        fields = tuple(field for field in fields if field["name"] in patients)
    own = definitions(analysis.get("endpoints"), partial(_label, fields))
    return Dataset(
        name=package["name"],
        title=package["title"],
        description=package.get("description", ""),
        public=package.get("public", False),
        package=package,
        settings=_settings(analysis),
        fields=fields,
        factors=_factors(analysis, fields, patients),
        characteristics=_characteristics(analysis, fields),
        endpoints={defined.name: defined for defined in own},
        compare=compare(analysis.get("compare")),
        models=tuple(map(model, analysis.get("models", []))),
        patients=patients,
        published=_published(contents.published),
        mask_below=mask_below,
        number=number,
        **_recurrent(package, contents.events),
    )


def _recurrent(package: dict, text: Mapping[str, pd.DataFrame]) -> dict[str, dict]:
    """What the dataset declares of events that come again, and each of them."""
    fields = {entry["name"]: entry["schema"]["fields"] for entry in package["resources"]}
    entries = package["analysis"].get("repeated_events", [])
    plans = [recurrent(entry, fields[entry["table"]]) for entry in entries]
    return {
        "recurrent": {plan.name: plan for plan in plans},
        "events": {
            plan.name: pd.DataFrame(
                {
                    "patient_id": text[plan.name]["patient_id"].astype(object),
                    "day": numbers(text[plan.name][plan.day]),
                }
            ).reset_index(drop=True)
            for plan in plans
        },
    }


def _label(fields: tuple[dict, ...], column: str) -> str:
    titles = {field["name"]: field.get("title") for field in fields}
    return titles.get(column) or RESERVED.get(column) or column


# --- from what the folder says to what it means -----------------------------------------------


def _published(text: pd.DataFrame | None) -> pd.DataFrame:
    if text is None:
        return pd.DataFrame(columns=[*PUBLISHED, "kind"])
    return text.reset_index(drop=True).assign(months=numbers(text["months"]).to_numpy())


def _typed(text: pd.DataFrame, fields: tuple[dict, ...]) -> pd.DataFrame:
    """Text as the schema's types; the categories stay text."""
    columns = {}
    for field in fields:
        column = text[field["name"]].reset_index(drop=True)
        if is_number(field):
            columns[field["name"]] = numbers(column)
        else:
            columns[field["name"]] = column.astype(object).where(column != "", None)
    return pd.DataFrame(columns)


def _settings(analysis: dict) -> Settings:
    given = {key: analysis[key] for key in Settings.__dataclass_fields__ if key in analysis}
    if "months" in given:
        given["months"] = tuple(sorted(given["months"]))
    if "abbreviations" in given:
        given["abbreviations"] = {
            key: words for key, words in given["abbreviations"].items() if key != "$comment"
        }
    return Settings(**given)


def _factors(
    analysis: dict, fields: tuple[dict, ...], patients: pd.DataFrame
) -> tuple[Factor, ...]:
    """The factors, for all endpoints in which nothing competes where they name none."""
    own = analysis.get("endpoints")
    # Of the paper's endpoints, survival after transplant is asked of too few for a model.
    asked = ("os", "rfs") if own is None else [e["name"] for e in own if "competing" not in e]
    by_name = {field["name"]: field for field in fields}
    return tuple(
        _factor(entry, by_name[entry["column"]], tuple(asked), patients)
        for entry in analysis.get("factors", [])
    )


def _factor(entry: dict, field: dict, asked: tuple[str, ...], patients: pd.DataFrame) -> Factor:
    lists = {
        key: tuple(str(value) for value in entry[key])
        for key in ("numerator", "denominator", "endpoints")
        if key in entry
    }
    made = {"label": field.get("title") or entry["column"], "endpoints": asked, **entry, **lists}
    made.pop("$comment", None)
    if "reference" in entry:
        made["reference"] = level_text(entry["reference"])
        made["levels"] = levels(field, patients)
    return Factor(**made)


def levels(field: dict, patients: pd.DataFrame) -> tuple[str, ...]:
    """The levels that the schema lists for a column, or those that its patients have."""
    listed = field.get("constraints", {}).get("enum")
    found = sorted(patients[field["name"]].dropna().unique()) if listed is None else listed
    return tuple(map(level_text, found))


def _characteristics(analysis: dict, fields: tuple[dict, ...]) -> tuple[Characteristic, ...]:
    """The rows that the dataset asks for, or every column of its own that is no event or day."""
    by_name = {field["name"]: field for field in fields}
    entries, groups = analysis.get("characteristics"), analysis.get("compare", {}).get("column")
    if entries is None:
        factors = analysis.get("factors", [])
        helpers = {entry.get("among") for entry in [*factors, *analysis.get("endpoints", [])]}
        days = {entry["column"] for entry in factors if entry["kind"] == "postbaseline"}
        entries = [
            {"column": name, "kind": "baseline"}
            for name, field in by_name.items()
            if name not in {*RESERVED, *helpers, *days} and not is_day(field)
        ]
    return tuple(_characteristic(entry, by_name[entry["column"]], groups) for entry in entries)


def _characteristic(entry: dict, field: dict, groups: str | None) -> Characteristic:
    """A number has statistics, unless it names the `groups` that are compared."""
    number = is_number(field) and entry["column"] != groups
    levels = entry.get("levels") or field.get("constraints", {}).get("enum") or ()
    return Characteristic(
        column=entry["column"],
        label=entry.get("label") or field.get("title") or entry["column"],
        kind=entry["kind"],
        statistics=tuple(entry.get("statistics", ("median", "mean"))) if number else (),
        levels=() if number else tuple(map(level_text, levels)),
        among=entry.get("among"),
    )
