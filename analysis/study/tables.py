"""Tables that show a study's results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import floor, log10
from types import MappingProxyType

import pandas as pd

from ..dataset.endpoints import Endpoint, answerable
from ..dataset.model import Characteristic, Dataset, Factor
from ..page.formats import (
    DAGGER,
    counted,
    in_months,
    interval,
    listed,
    month,
    rounded,
    shown,
    written,
)
from ..page.quantities import MASKED, MISSING
from ..page.rows import anybody, at_risk, is_carried, nobody_left, pick
from ..page.tables import Row, Table
from .characteristics import outcome_order, shown_levels
from .curves import last_known
from .models import factor_labels
from .sentences import follow_up_end

CARRIED = f"{DAGGER} Nobody was followed to this month: the last value is carried forward"
WALD = "P, Wald test."


def landmark_table(
    dataset: Dataset,
    question: Endpoint,
    results: pd.DataFrame,
    quantity: str,
    groups: Mapping[str, str],
    name: str,
    caption: str,
) -> Table:
    """Estimates at the landmark months of one or more groups, which map to their labels."""
    rows = []
    for group, label in groups.items():
        if len(groups) > 1:
            rows.append(Row(label))
        for number in dataset.settings.months:
            row = pick(results, quantity, group, number)
            followed = at_risk(results, question.name, number)
            cells = landmark_cells(row, is_carried(results, row))
            rows.append(Row(in_months(number), (*cells, counted(followed), _events(row, followed)),
                            int(len(groups) > 1)))  # fmt: skip
    notes = [
        "CI, confidence interval (log-log). At risk are those followed until just before the "
        "month; events are counted up to and on it, so that one on its very day is in both."
    ]
    notes += past_follow_up(rows, results, [question.name])
    columns = ("Time", "Estimate", "95% CI", "At risk", "Events")
    return Table(name, caption, columns, rows, notes, abbreviations=dataset.settings.abbreviations)


def landmark_cells(row: pd.Series, carried: bool) -> tuple[str, str]:
    """An estimate in per cent and its limits; marked where it is carried, a dash where unknown."""
    if pd.isna(row["estimate"]):
        return MISSING, MISSING
    mark = f" {DAGGER}" if carried else ""
    return f"{written(row)}%{mark}", _limits(row, "%")


def past_follow_up(
    rows: Iterable[Row],
    results: pd.DataFrame,
    groups: Sequence[str],
    place: int = 0,
    titles: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """The notes on marks and dashes in the column of estimates at landmarks, or on its end."""
    cells = [row.cells[place] for row in rows if row.cells]
    each = {group: str(follow_up_end(results, group)) for group in groups}
    several = len(titles) > 1 and len(set(each.values())) > 1
    ends = "; ".join(
        dict.fromkeys(titles[g].lower() + ": " + end if several else end for g, end in each.items())
    )
    notes = {
        CARRIED: any(cell.endswith(DAGGER) for cell in cells),
        f"{MISSING}, nobody was followed to this month": MISSING in cells,
    }
    told = [f"{note} ({ends})." for note, needed in notes.items() if needed]
    over = not told and any(nobody_left(results, group) for group in groups)
    return [f"{ends[0].upper()}{ends[1:]}."] if over else told


def _events(row: pd.Series, followed: float) -> str:
    """How many had the event; past follow-up that is not known, which is not the same as masked."""
    nobody = pd.notna(followed) and followed == 0
    return MISSING if nobody and pd.isna(row["estimate"]) else counted(row["events"])


def plateau_table(
    dataset: Dataset,
    question: Endpoint,
    results: pd.DataFrame,
    groups: Mapping[str, str],
    name: str,
    caption: str,
) -> Table:
    """What comes after each landmark: who is followed, for how long, and the rate of events."""
    last = dataset.settings.months[-1]
    conditional = results["quantity"].eq("conditional_survival")
    survival = results.loc[conditional, "estimate"].notna().any()
    rows = []
    for group, label in groups.items():
        if len(groups) > 1:
            rows.append(Row(label))
        for number in dataset.settings.months:
            rate = pick(results, "event_rate", group, number)
            years = pick(results, "person_years", group, number)
            cells = [counted(rate["n"]), rounded(years["estimate"], 1), _events(rate, rate["n"])]
            cells.append(_with_limits(rate))
            if survival and number < last:
                cells.append(
                    _with_limits(pick(results, "conditional_survival", group, number), "%")
                )
            elif survival:
                cells.append(MISSING)
            rows.append(Row(month(number), cells, int(len(groups) > 1)))
    columns = [
        "Beyond month",
        "Followed",
        "Patient-years",
        "Events",
        "Per 100 patient-years (95% CI)",
    ]
    notes = ["CI, confidence interval: of a rate exact Poisson"]
    if survival:
        columns.append(f"Without event to {in_months(last)} (95% CI)")
        notes[0] += ", of a share log-log"
    notes[0] += f". {MISSING}, no estimate, or an estimate without an interval."
    return Table(name, caption, columns, rows, notes, abbreviations=dataset.settings.abbreviations)


def _with_limits(row: pd.Series, unit: str = "") -> str:
    """`7.7 (0.9–27.9)`, or a dash where there is no estimate."""
    if pd.isna(row["estimate"]):
        return MISSING
    value = written(row)
    return f"{value}{unit} ({_limits(row, unit)})"


def _limits(row: pd.Series, unit: str = "") -> str:
    if pd.isna(row[["lower", "upper"]]).all():
        return MISSING
    return interval(row) + unit


def headline_table(dataset: Dataset, results: pd.DataFrame, name: str, caption: str) -> Table:
    """The median and the last landmark of every endpoint in `results`.

    That is the last to which anybody is followed in one of them, or the first of all.
    """
    answered = results.loc[results["quantity"] == "median", "group"]
    known = [last_known(dataset, results, "survival", name) for name in answered]
    last = max((row["months"] for row in known if row is not None), default=None)
    last = dataset.settings.months[0] if last is None else last
    rows = []
    questions = answerable(dataset, *answered)
    for question in questions:
        middle = pick(results, "median", question.name)
        late = pick(results, "survival", question.name, last)
        mark = f" {DAGGER}" if is_carried(results, late) else ""
        share = _with_limits(late, "%") + mark
        length = shown(middle["estimate"], "median")
        if middle[["lower", "upper"]].notna().any():
            length += f" ({interval(middle)})"
        heading = f"{question.title}, from {question.origin}"
        rows.append(Row(heading, (counted(middle["n"]), length, share)))
    columns = (
        "Endpoint", "Patients", "Median, months (95% CI)", f"At {in_months(last)} (95% CI)"
    )  # fmt: skip
    ended = [q.name for q in questions if at_risk(results, q.name, last) == 0]
    titles = {question.name: question.title for question in questions}
    notes = ["CI, confidence interval.", *past_follow_up(rows, results, ended, -1, titles)]
    return Table(name, caption, columns, rows, notes, abbreviations=dataset.settings.abbreviations)


def characteristics_table(
    dataset: Dataset,
    results: pd.DataFrame,
    kinds: Sequence[str],
    columns: Mapping[str, str],
    name: str,
    caption: str,
    notes: Sequence[str] = (),
) -> Table:
    """Characteristics by column; `columns` maps a column's key in `results` to its heading."""
    filled = {
        key: head
        for key, head in columns.items()
        if anybody(pick(results, "count", _group("patients", key)))
    }
    # Where nobody is in any, the table says so by its zeros.
    empty = [head for key, head in columns.items() if filled and key not in filled]
    columns = filled or columns
    rows = []
    for entry in dataset.characteristics:
        if entry.kind in kinds:
            rows += _characteristic_rows(dataset, entry, results, tuple(columns))
    heads = _headed(results, columns)
    if empty:
        notes = [*notes, f"Without patients, and without a column: {'; '.join(empty)}."]
    return Table(name, caption, heads, rows, notes, abbreviations=dataset.settings.abbreviations)


def outcome_table(
    dataset: Dataset,
    results: pd.DataFrame,
    columns: Mapping[str, str],
    name: str,
    caption: str,
) -> Table:
    """Table 2: the dataset's own outcomes and those that the reserved columns give."""
    rows, notes = [], ["Percentages are of the column's patients."]
    for entry in outcome_order(dataset):
        if isinstance(entry, Characteristic):
            rows += _characteristic_rows(dataset, entry, results, tuple(columns))
            if entry.among:
                whole = dataset.label(entry.among)
                notes.append(f"{entry.label}: percentages of the patients with “{whole}”.")
        else:
            label, level = outcome_labels(dataset)[entry]
            rows.append(_count_row(results, entry, label, tuple(columns), level))
    heads = _headed(results, columns)
    return Table(name, caption, heads, rows, notes, abbreviations=dataset.settings.abbreviations)


def outcome_labels(dataset: Dataset) -> dict[str, tuple[str, int]]:
    """Heading and indent of the rows that the reserved columns give."""
    after = f" after {dataset.settings.treatment}" if dataset.settings.treatment else ""
    response, hsct = dataset.label("response_day"), dataset.label("hsct_day")
    return {
        "mrd_response_day": (f"{dataset.label('mrd_response_day')}, No. (%)", 0),
        "hsct_day": (f"{hsct}{after}, No. (%)", 0),
        "hsct_in_remission": (f"In remission after {response}", 1),
        "hsct_after_relapse": (f"After {response} and relapse", 1),
        "hsct_without_response": (f"Without {response} before it", 1),
        "relapse_free": (f"Relapse-free survivors{after}, No. (%)", 0),
        "relapse_free_without_hsct": (f"Without {hsct}", 1),
        "relapse_free_after_hsct": (f"With {hsct}", 1),
    }


def text_table(dataset: Dataset, results: pd.DataFrame, name: str, caption: str) -> Table:
    """The counts of the text's sentences, under the patients that each is a share of."""
    whole = {"": "All patients", "long_term": "Long-term survivors"}
    whole["relapse_free"] = "Relapse-free long-term survivors"
    relapse_free, without = "Relapse-free", f"Without {dataset.label('hsct_day')}"
    lines = {
        "": {"response_day": dataset.label("response_day")},
        "long_term": {
            "relapse_free": relapse_free,
            "without_hsct": without,
            "relapse_free_without_hsct": f"{relapse_free} and {without[0].lower()}{without[1:]}",
        },
        "relapse_free": {
            key: outcome_labels(dataset)[key][0]
            for key in ("relapse_free_after_hsct", "relapse_free_without_hsct")
        },
    }
    rows = []
    for column, labels in lines.items():
        n = counted(pick(results, "count", _group("patients", column))["n"])
        rows.append(Row(f"{whole[column]} (n\u00a0=\u00a0{n})"))
        rows += [_count_row(results, key, label, (column,), 1) for key, label in labels.items()]
    return Table(
        name,
        caption,
        ("Of these patients", "No. (%)"),
        rows,
        abbreviations=dataset.settings.abbreviations,
    )


def _headed(results: pd.DataFrame, columns: Mapping[str, str]) -> list[str]:
    heads = ["Characteristic"]
    for key, label in columns.items():
        n = counted(pick(results, "count", _group("patients", key))["n"])
        heads.append(f"{label} (n\u00a0=\u00a0{n})")
    return heads


def _characteristic_rows(
    dataset: Dataset, entry: Characteristic, results: pd.DataFrame, columns: Sequence[str]
) -> list[Row]:
    if entry.statistics:
        return _statistics_rows(dataset, entry, results, columns)
    known = set(results["group"])
    levels = shown_levels(dataset, entry)
    if levels == ["yes"]:
        return [_count_row(results, f"{entry.column}=yes", f"{entry.label}, No. (%)", columns, 0)]
    rows = [Row(f"{entry.label}, No. (%)")]
    for level in levels:
        label = level.capitalize() if level in ("yes", "no") else level
        rows.append(_count_row(results, f"{entry.column}={level}", label, columns, 1))
    if _group(f"{entry.column}=", columns[0]) in known:
        rows.append(_count_row(results, f"{entry.column}=", "Not recorded", columns, 1))
    return rows


def _count_row(
    results: pd.DataFrame, name: str, label: str, columns: Sequence[str], level: int
) -> Row:
    cells = []
    for column in columns:
        group = _group(name, column)
        count = pick(results, "count", group)["estimate"]
        percent = pick(results, "percent", group)["estimate"]
        cells.append(MASKED if pd.isna(count) else f"{count:.0f} ({rounded(percent, 1)})")
    return Row(label, cells, level)


def _statistics_rows(
    dataset: Dataset, entry: Characteristic, results: pd.DataFrame, columns: Sequence[str]
) -> list[Row]:
    decimals = _decimals(dataset.patients[entry.column].dropna())
    finer = max(decimals, 1)
    wanted = list(entry.statistics)
    if dataset.patients[entry.column].isna().any() and "n" not in wanted:
        wanted.insert(0, "n")

    def middle(value: float) -> int:
        """A median of decimals may be whole, but not of a column that needs more of them."""
        return decimals if decimals > 1 else _decimals([value])

    made = {
        "n": ("No.", lambda get: counted(get("count"))),
        "median": (
            "Median (range)",
            lambda get: (
                f"{rounded(get('median_value'), middle(get('median_value')))} "
                f"({_range(get('min'), get('max'), decimals, get('count'))})"
            ),
        ),
        "mean": (
            "Mean (SD)",
            lambda get: f"{rounded(get('mean'), finer)} ({rounded(get('sd'), finer)})",
        ),
    }
    lines = []
    for statistic in wanted:
        label, cell = made[statistic]
        cells = []
        for column in columns:
            group = _group(entry.column, column)
            cells.append(cell(lambda q, group=group: pick(results, q, group)["estimate"]))
        lines.append((label, cells))
    if len(lines) == 1:
        label, cells = lines[0]
        return [Row(f"{entry.label}, {label[0].lower()}{label[1:]}", cells)]
    return [Row(entry.label), *(Row(label, cells, 1) for label, cells in lines)]


def _range(least: float, most: float, decimals: int, count: float) -> str:
    if pd.isna(least) and count != 0:
        return MASKED
    return f"{rounded(least, decimals)}–{rounded(most, decimals)}"


def _decimals(values: Iterable[float]) -> int:
    """None for whole numbers, else one: a median may lie between two whole numbers.

    Where all are below 1, enough for two digits of the largest, and for one of the smallest unless
    that is a hundred times smaller.
    """
    sizes = [abs(value) for value in values if value == value and value != 0]
    if all(size % 1 == 0 for size in sizes):
        return 0
    if max(sizes) >= 1:
        return 1
    least, most = (-int(floor(log10(size))) for size in (min(sizes), max(sizes)))
    return max(most + 1, min(least, most + 2))


def _group(name: str, column: str) -> str:
    return f"{name}|{column}" if column else name


def factor_table(
    dataset: Dataset,
    questions: Sequence[Endpoint],
    results: pd.DataFrame,
    name: str,
    caption: str,
) -> Table:
    """Hazard ratios of each factor: alone with its P, and in the stepwise model."""
    rows = []
    for question in questions:
        rows.append(Row(question.title))
        for key, label in factor_labels(dataset, question).items():
            cells = [
                _cell(results, f"{quantity}_{kind}", key)
                for kind in ("univariate", "multivariate")
                for quantity in ("hazard_ratio", "p")
            ]
            alone = pick(results, "hazard_ratio_univariate", key)
            rows.append(
                Row(label, [*cells, f"{counted(alone['n'])} / {counted(alone['events'])}"], 1)
            )
    columns = (
        "Factor", "HR (95% CI), alone", "P", "HR (95% CI), stepwise model", "P", "Patients / events"
    )  # fmt: skip
    notes = [
        "HR, hazard ratio: below 1, the first-named side does better. CI, confidence interval; "
        "P, Wald test. Patients and events are those of the factor's own model.",
        "“Not estimable”: all events fall on one side of the factor, or it does not vary.",
        *_entering(dataset, questions, results),
    ]
    return Table(name, caption, columns, rows, notes, abbreviations=dataset.settings.abbreviations)


def _entering(
    dataset: Dataset, questions: Sequence[Endpoint], results: pd.DataFrame
) -> Iterator[str]:
    """Whose patients are at risk only from a day on, and how many never are."""
    for factor in dataset.factors:
        keys = [f"{question.name}:{factor.column}" for question in questions]
        never = results[results["quantity"].eq("never_at_risk") & results["group"].isin(keys)]
        if never.empty:
            continue
        counts = listed(
            f"{counted(pick(never, 'never_at_risk', key)['estimate'])} ({question.title.lower()})"
            for question, key in zip(questions, keys, strict=True)
            if key in set(never["group"])
        )
        yield (
            f"{factor.label}: patients count from the day of “{dataset.label(factor.among)}” on "
            f"(delayed entry). Ended on or before it, so never at risk: {counts}."
        )


def postbaseline_table(
    dataset: Dataset,
    questions: Sequence[Endpoint],
    results: pd.DataFrame,
    name: str,
    caption: str,
) -> Table | None:
    """The postbaseline factors together; None where no endpoint has two of them."""
    columns = {"HR (95% CI)": "hazard_ratio_postbaseline", "P": "p_postbaseline"}
    return _models_table(dataset, questions, results, columns, name, caption, [WALD])


def unselected_table(
    dataset: Dataset,
    questions: Sequence[Endpoint],
    results: pd.DataFrame,
    name: str,
    caption: str,
) -> Table | None:
    """All candidates in one model beside what selection leaves; None where there are none."""
    columns = {
        "All candidates, HR (95% CI)": "hazard_ratio_unselected",
        "P, of all": "p_unselected",
        "Stepwise, HR (95% CI)": "hazard_ratio_multivariate",
        "P, stepwise": "p_multivariate",
    }
    return _models_table(dataset, questions, results, columns, name, caption, [WALD])


def over_time_table(
    dataset: Dataset,
    questions: Sequence[Endpoint],
    results: pd.DataFrame,
    name: str,
    caption: str,
) -> Table | None:
    """Whether each factor's ratio stays the same: the test, and the ratio early and late."""
    columns = {
        "P, same ratio throughout": "p_proportional_univariate",
        "Half of events by, months": "split",
        "HR (95% CI) up to then": "hazard_ratio_early",
        "HR (95% CI) after": "hazard_ratio_late",
    }
    notes = ["HR, hazard ratio; P, score test of the factor's product with time. Each line is a "
             "model of one factor."]  # fmt: skip
    return _models_table(dataset, questions, results, columns, name, caption, notes)


def forward_table(
    dataset: Dataset, question: Endpoint, results: pd.DataFrame, name: str, caption: str
) -> Table | None:
    """What comes after baseline as if known from the start, and counted from its day."""
    columns = {
        "As if known from the start, HR (95% CI)": "hazard_ratio_fixed",
        "Counted from its day, HR (95% CI)": "hazard_ratio_univariate",
        "P": "p_univariate",
    }
    notes = ["HR, hazard ratio; CI, confidence interval; P, Wald test of the second ratio."]
    return _models_table(dataset, [question], results, columns, name, caption, notes)


def _models_table(
    dataset: Dataset,
    questions: Sequence[Endpoint],
    results: pd.DataFrame,
    columns: Mapping[str, str],
    name: str,
    caption: str,
    notes: Sequence[str] = (),
) -> Table | None:
    """A line for each factor that has the first column's quantity, by endpoint."""
    first = next(iter(columns.values()))
    rows = []
    for question in questions:
        lines = [
            Row(label, [_cell(results, quantity, key) for quantity in columns.values()], 1)
            for key, label in factor_labels(dataset, question).items()
            if _has(results, first, key)
        ]
        if lines:
            rows += [Row(question.title), *lines]
    return (
        Table(
            name,
            caption,
            ("Factor", *columns),
            rows,
            notes,
            abbreviations=dataset.settings.abbreviations,
        )
        if rows
        else None
    )


def _has(results: pd.DataFrame, quantity: str, key: str) -> bool:
    return bool(((results["quantity"] == quantity) & (results["group"] == key)).any())


def _cell(results: pd.DataFrame, quantity: str, key: str) -> str:
    """A hazard ratio with its limits, or any other number; blank where there is no such row."""
    if not _has(results, quantity, key):
        return ""
    row = pick(results, quantity, key)
    if not quantity.startswith("hazard_ratio"):
        return written(row)
    if pd.isna(row["estimate"]):
        return "not estimable"
    return f"{written(row)} ({interval(row)})"


def dictionary_table(dataset: Dataset, results: pd.DataFrame, name: str, caption: str) -> Table:
    """The columns of patients.csv as datapackage.json describes them, with how many are known."""
    rows = [
        Row(
            entry["name"],
            (
                dataset.label(entry["name"]),
                _allowed(entry),
                shown(pick(results, "count", entry["name"])["estimate"], "count"),
                entry.get("description", ""),
            ),
        )
        for entry in dataset.fields
    ]
    return Table(name, caption, ("Column", "Label", "Values", "Known", "Meaning"), rows, words=True)


def _allowed(entry: dict) -> str:
    limits = entry.get("constraints", {})
    if "enum" in limits:
        return ", ".join(str(level) for level in limits["enum"])
    least, most = limits.get("minimum"), limits.get("maximum")
    words = [entry.get("type", "string")]
    words += [f"from {least}"] if least is not None else []
    words += [f"to {most}"] if most is not None else []
    return " ".join(words)


def settings_table(dataset: Dataset, name: str, caption: str) -> Table:
    """What datapackage.json declares about days, months and words, default or not."""
    settings = dataset.settings
    lines = {
        "time_origin": (settings.time_origin, "The day from which all days count"),
        "days_per_month": (f"{settings.days_per_month:g}", "Days in a month"),
        "months": (
            ", ".join(map(month, settings.months)),
            "Landmarks: the months at which estimates are given",
        ),
        "long_term_months": (
            month(settings.long_term_months),
            "Known alive after this month, a patient is a long-term survivor",
        ),
        "carry_forward_months": (
            month(settings.carry_forward_months),
            "Up to so long after the end of follow-up a curve’s last value still stands, marked",
        ),
        "population": (settings.population, "What the patients are called"),
        "treatment": (settings.treatment or MISSING, "What the outcomes come after"),
        "synthetic": ("yes" if settings.synthetic else "no", "Whether the patients were made up"),
    }
    rows = [Row(key, cells) for key, cells in lines.items()]
    return Table(name, caption, ("Setting", "Value", "Meaning"), rows, words=True)


def factors_table(dataset: Dataset, name: str, caption: str) -> Table:
    """How each factor of Table 3 is read from its column."""
    rows = [Row(f.label, (f.column, f.kind, _reading(dataset, f))) for f in dataset.factors]
    return Table(
        name,
        caption,
        ("Factor", "Column", "Kind", "Reading"),
        rows,
        words=True,
        abbreviations=dataset.settings.abbreviations,
    )


def _reading(dataset: Dataset, factor: Factor) -> str:
    if factor.kind == "postbaseline":
        words = ["0 up to its day, 1 after it"]
    elif factor.numerator:
        words = [f"{' or '.join(factor.numerator)} against {' or '.join(factor.denominator)}"]
    else:
        words = ["as a number"]
    words += [f"only if before “{dataset.label(factor.before)}”"] if factor.before else []
    if factor.among:
        when = ", from its day on" if dataset.is_day(factor.among) else ""
        words += [f"among patients with “{dataset.label(factor.among)}”{when}"]
    words += [f"for {' and '.join(factor.endpoints)}"]
    return "; ".join(words)


def sources_table(dataset: Dataset, name: str, caption: str) -> Table:
    """Sources and licences as datapackage.json names them."""
    package = dataset.package
    rows = [
        Row(kind, (entry.get("title") or entry.get("name", ""), entry.get("path", "")))
        for kind, key in (("Source", "sources"), ("Licence", "licenses"))
        for entry in package.get(key, [])
    ]
    rows += [] if rows else [Row("Source", ("not stated", ""))]
    rows.append(Row("Public", ("yes" if dataset.public else "no", "")))
    return Table(
        name,
        caption,
        ("Kind", "What", "Where"),
        rows,
        words=True,
        abbreviations=dataset.settings.abbreviations,
    )
