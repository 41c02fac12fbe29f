"""Numbers as a reader sees them, and prose whose numbers come from the run."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from . import conclusions
from .dataset import Dataset
from .endpoints import Endpoint
from .results import (
    anybody,
    at_risk,
    factor_labels,
    is_carried,
    last_known,
    nobody_left,
    own_or_only,
    pick,
)

MISSING = "–"
DAGGER = "†"  # marks a value that is carried forward
NOT_REACHED = "not reached"
MASKED = "masked"  # a number of patients that is too small to be shown
# Proportions that a reader sees as per cent, and rates per patient-year, seen per 100 of them.
# A lesson's variants are named after what they vary, as in survival_dropped.
SHARES = ("survival", "conditional_survival", "cumulative_incidence", "one_minus_survival", "share")
RATES = {"event_rate"}
# Times in months; of these a median may not be reached.
ENDS = {"followup_min", "followup_max", "followup_end"}
TIMES = {"median", "rmst", "median_followup", "followup_median", *ENDS}
TIMES_TOO = ("rmst_", "time_")  # so begin the lessons' own
MEDIANS = {"median", "median_followup"}
# Blank only where masked: each has a number of patients, or is the value of one of them.
COUNTS = {"count", "at_risk", "censored", "never_at_risk", *ENDS}
SPECIAL = r"\\`*_{}\[\]()#+!|$~^:@"  # what Markdown might read as markup, as a class of a pattern


def rounded(value: float, decimals: int) -> str:
    """Round half away from zero, as publications do; a missing value is a dash.

    Twelve significant digits come first, so that 0.285 * 100 counts as 28.5. A number that has no
    more digits than those is written short: `8e222`.
    """
    if pd.isna(value):
        return MISSING
    if abs(value) >= 1e12:
        return short(value)
    step = Decimal(1).scaleb(-decimals)
    shown = format(Decimal(f"{value:.12g}").quantize(step, ROUND_HALF_UP), "f")
    return shown.removeprefix("-") if float(shown) == 0 else shown.replace("-", "−")


def short(value: float) -> str:
    """A very large or small number by its first digit and power of ten: `8e222`, `6e-63`."""
    if not np.isfinite(value):
        return ("" if value > 0 else "−") + "∞"
    digit, power = f"{value:.0e}".split("e")
    return f"{digit.replace('-', '−')}e{int(power)}"


def scaled(value: float, quantity: str) -> float:
    """A result in the unit that a reader sees: per cent, or per 100 patient-years."""
    return 100 * value if quantity.startswith(SHARES) or quantity in RATES else value


def decimals_of(quantity: str) -> int:
    """The decimals that the book shows: those that the paper prints."""
    return 2 if quantity.startswith("hazard_ratio") else 0 if quantity == "count" else 1


def written(row: pd.Series, part: str = "estimate") -> str:
    """An estimate or limit of a result as text without its unit, as `shown`.

    A ratio for a unit that is small beside the patients' differences is near 1. Where its limits
    would look the same, all three have the decimals that tell the limits apart.
    """
    value, quantity = row[part], row["quantity"]
    if quantity.startswith("hazard_ratio"):
        limits = [ratio(row[end]) for end in ("lower", "upper")]
        width = row["upper"] - row["lower"]
        if limits[0] == limits[1] and width > 1e-10:
            return ratio(value, 1 - int(np.floor(np.log10(width))))
    return shown(value, quantity)


def ratio(value: float, decimals: int = 2) -> str:
    """A ratio to its decimals, or short where those would hold too little of it, or too much."""
    if value == 0:
        return "0"
    plain = 1e-4 <= value < 1e4 or pd.isna(value)
    return rounded(value, decimals) if plain else short(value)


def shown(value: float, quantity: str) -> str:
    """One result as text without its unit; a missing median was not reached."""
    if quantity.startswith("hazard_ratio"):
        return ratio(value)
    if quantity.startswith("p_"):
        return p_value(value)
    if pd.isna(value) and quantity in MEDIANS:
        return NOT_REACHED
    if pd.isna(value) and quantity in COUNTS:
        return MASKED
    return rounded(scaled(value, quantity), decimals_of(quantity))


def counted(number: float) -> str:
    """A number of patients or events."""
    return MASKED if pd.isna(number) else f"{number:.0f}"


def p_value(p: float) -> str:
    """P as publications print it: no leading zero, never 0."""
    if pd.isna(p):
        return MISSING
    if p < 0.001:
        return "<.001"
    text = rounded(p, 3 if p < 0.1 else 2)
    return text.removeprefix("0") if p < 0.995 else ">.99"


def equal_to(p: float) -> str:
    """P after its letter in a sentence: `= .02`, `<.001`."""
    text = p_value(p)
    return text if text.startswith(("<", ">")) else f"= {text}"


def interval(row: pd.Series) -> str:
    """The limits of a result, `5.5–8.5`, or a dash.

    `−3.4 to −0.4` where one is negative, and `0 to 8e222` where one has a power of ten.
    """
    if row[["lower", "upper"]].isna().all():
        return MISSING
    limits = [written(row, part) for part in ("lower", "upper")]
    apart = re.search(r"[−∞]|\de", " ".join(limits))
    return (" to " if apart else "–").join(limits)


def estimate(
    results: pd.DataFrame, quantity: str, group: str, months: float | None = None
) -> Prose:
    """An estimate with its unit, for prose: `7.5 months`."""
    row = pick(results, quantity, group, months)
    return sourced(_with_unit(row), row)


def _with_unit(row: pd.Series) -> str:
    value, quantity = row["estimate"], row["quantity"]
    return written(row) + ("" if pd.isna(value) else _unit(quantity))


def _unit(quantity: str) -> str:
    if quantity.startswith(SHARES) or quantity == "percent":
        return "%"
    if quantity in RATES:
        return " per 100 patient-years"
    return " months" if quantity in TIMES or quantity.startswith(TIMES_TOO) else ""


def with_interval(
    results: pd.DataFrame, quantity: str, group: str, months: float | None = None
) -> Prose:
    """The same with its 95 % interval: `7.5 months (95% CI, 5.5–8.5)`."""
    row = pick(results, quantity, group, months)
    limits = "" if row[["lower", "upper"]].isna().all() else f" (95% CI, {interval(row)})"
    return sourced(_with_unit(row) + limits, row)


def share(results: pd.DataFrame, group: str) -> Prose:
    """A count within its whole: `56 of 123 (45.5%)`; of nobody, no percentage."""
    count, percent = (pick(results, quantity, group) for quantity in ("count", "percent"))
    text = f"{counted(count['estimate'])} of {counted(count['n'])}"
    if pd.notna(percent["estimate"]):
        text += f" ({shown(percent['estimate'], 'percent')}%)"
    return sourced(text, count, percent)


def month(value: float) -> str:
    """A number of months without needless decimals."""
    return f"{value:g}"


def in_months(value: float) -> str:
    """`1 month`, `24 months`."""
    return f"{month(value)} month{'' if value == 1 else 's'}"


def in_patients(number: object) -> str:
    """`1 patient`, `24 patients`."""
    return f"{number} patient{'' if str(number) == '1' else 's'}"


def listed(words: Iterable[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    words = list(words)
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def median_told(results: pd.DataFrame, group: str, title: str) -> Prose:
    """The median of an endpoint with its interval, and what it is; also where it is not reached."""
    reached = pd.notna(pick(results, "median", group)["estimate"])
    return Prose(
        "Median {title}: **{median}**. "
        + (
            "It is the first time at which the curve is at one half or below; where the curve "
            "stays at one half, the middle of that time is taken."
            if reached
            else "The curve has not come down to one half."
        ),
        title=title,
        median=with_interval(results, "median", group),
    )


def recorded(dataset: Dataset) -> str:
    """`Response, relapse and transplant`: those of the three that the dataset records."""
    words = {"response_day": "response", "relapse_day": "relapse", "hsct_day": "transplant"}
    found = [word for column, word in words.items() if column in dataset.patients]
    return listed(found or ["survival"]).capitalize()


def at_landmarks(
    dataset: Dataset, results: pd.DataFrame, quantity: str, group: str, subject: str = ""
) -> Prose:
    """A clause of the dataset's landmark months that ends where follow-up does.

    `Survival was 44.8% at 12 months; nobody was followed to 24 or 36 months (follow-up ended at
    20.0 months)`. What is carried forward has its mark, and the clause says why; so it does where
    nobody is left without an event.
    """
    rows = [pick(results, quantity, group, number) for number in dataset.settings.months]
    known = [row for row in rows if pd.notna(row["estimate"])]
    last = [row for row in known if at_risk(results, group, row["months"]) == 0]
    numbers = {
        f"at_{place}": sourced(f"{_with_unit(row)} at {in_months(row['months'])}", row)
        for place, row in enumerate(known[: len(known) - len(last)])
    }
    carried = DAGGER if last and is_carried(results, last[0]) else ""
    if last:  # one value, that of the end
        at = listed(month(row["months"]) for row in last)
        at = in_months(last[0]["months"]) if len(last) == 1 else f"{at} months"
        numbers["last"] = sourced(f"{_with_unit(last[0])}{carried} at {at}", last[0])
    said = " ".join(filter(None, (subject, listed(f"{{{name}}}" for name in numbers))))
    if last:
        said += f" ({carried} carried forward: {{end}})" if carried else " ({end})"
    if unknown := rows[len(known) :]:
        beyond = listed((month(row["months"]) for row in unknown), "or")
        nobody = f"obody was followed to {{beyond}}{'' if last else ' ({end})'}"
        said = f"{said}; n{nobody}" if known else f"N{nobody}"
        numbers["beyond"] = sourced(f"{beyond} month{'' if beyond == '1' else 's'}", unknown[0])
    return Prose(said, end=follow_up_end(results, group), **numbers)


def carried_estimate(results: pd.DataFrame, row: pd.Series, rest: bool = False) -> Prose:
    """An estimate at a month, or the `rest` of a share, with its unit; marked where carried."""
    mark = DAGGER if is_carried(results, row) else ""
    text = shown(1 - row["estimate"], row["quantity"]) + "%" if rest else _with_unit(row)
    return sourced(text + mark, row)


def nobody_long_term(dataset: Dataset) -> Prose:
    """Why patients are not compared by whether they lived long."""
    return Prose(
        "Nobody was known to be alive after {month}, so there is nobody to compare.",
        month=declared(in_months(dataset.settings.long_term_months), "long_term_months"),
    )


def follow_up_end(results: pd.DataFrame, group: str) -> Prose:
    """Until when anyone was followed, unless that would be one patient's own time."""
    row = own_or_only(results, "followup_end", group)
    ended = "everybody had had an event by" if nobody_left(results, group) else "follow-up ended at"
    if pd.isna(row["estimate"]):
        return Prose(ended.rpartition(" ")[0] + " before")
    return Prose(ended + " {end}", end=sourced(_with_unit(row), row))


def restricted_mean(dataset: Dataset, results: pd.DataFrame, group: str, event: str) -> Prose:
    """The mean time before an event, up to the last landmark to which anybody is followed."""
    row = last_known(dataset, results, "rmst", group)
    if row is None:
        return Prose(
            "No restricted mean is given: nobody was followed to {first}.",
            first=declared(in_months(dataset.settings.months[0]), "months"),
        )
    return Prose(
        "Of the first {last}, {rmst} on average came before {event}. This restricted mean is "
        "the area under the curve up to there {{cite}}`royston2013`.",
        last=declared(in_months(row["months"]), "months"),
        rmst=with_interval(results, "rmst", group, row["months"]),
        event=event,
    )


def follow_up_told(results: pd.DataFrame, group: str) -> Prose:
    """How long the patients without an event were followed, and all by reverse Kaplan–Meier."""
    if not anybody(pick(results, "followup_median", group)):
        return Prose(
            "Every patient had the event, so there is no follow-up without it to describe."
        )
    least, most = (estimate(results, f"followup_{end}", group) for end in ("min", "max"))
    return Prose(
        "Follow-up: the patients without an event had been followed for a median of {seen}"
        + (" (range, {least} to {most})" if str(least) != str(most) else "")
        + ". By reverse Kaplan–Meier, which counts every patient as followed until an event cut it "
        "short, the median is {reverse} {{cite}}`schemper1996`.",
        seen=estimate(results, "followup_median", group),
        least=least,
        most=most,
        reverse=with_interval(results, "median_followup", group),
    )


def forward_told(dataset: Dataset, results: pd.DataFrame, column: str, event: str) -> Prose | None:
    """Death after an `event` on the way, from its day and as if known; None without the factor."""
    key = f"os:{column}"
    rows = results[results["group"].eq(key) & results["quantity"].eq("hazard_ratio_univariate")]
    if rows.empty:
        return None
    among = next((f.among for f in dataset.factors if f.column == column), None)
    right, wrong = (
        with_interval(results, f"hazard_ratio_{way}", key) for way in ("univariate", "fixed")
    )
    told = (
        "The hazard ratio of death is then {right}, with P {p}. As if known from the start it "
        "would be {wrong}"
        + (", too." if str(right) == str(wrong) else ": that credits the {label} with the time "
           "needed to reach it {{cite}}`suissa2008`.")
        if rows["estimate"].notna().all()
        else "No hazard ratio of death can then be estimated."
    )  # fmt: skip
    return Prose(
        "**What {event} goes with, asked forward in time.** Count {n} patients from {origin}"
        + (", each at risk from the day of {entry} on, " if among else ", ")
        + f"and each {{label}} from its day. {told} [Table 3](table_3.ipynb) has all such factors.",
        event=event,
        n=sourced(counted(rows["n"].iloc[0]), rows),
        origin=dataset.settings.time_origin,
        entry=dataset.label(among) if among else "",
        label=dataset.label(column),
        right=right,
        wrong=wrong,
        p=estimate(results, "p_univariate", key),
    )


def beyond(dataset: Dataset, results: pd.DataFrame, group: str, month: float) -> Prose:
    """How long patients were followed beyond a landmark, and at which rate events came."""
    rate = pick(results, "event_rate", group, month)
    after = declared(in_months(month), "months")
    if pd.isna(rate["n"]):
        few = sourced("few", rate)
        return Prose(
            "Too {few} to be counted here were followed beyond {after}", few=few, after=after
        )
    if not anybody(rate):
        nobody = sourced("Nobody", rate)
        return Prose("{nobody} was followed beyond {after}", nobody=nobody, after=after)
    return Prose(
        "{followed} patients were followed beyond {after}, for {years} patient-years in all. "
        "Events in that time: {events}, or {rate}",
        followed=sourced(rate["n"], rate),
        after=after,
        years=estimate(results, "person_years", group, month),
        events=sourced(counted(rate["events"]), rate),
        rate=with_interval(results, "event_rate", group, month),
    )


BOUNDS = {
    "unknown": "**What these few bound is not shown:** it would give their number away.",
    "nobody": "**So it bounds nothing.** There is no patient under the curve.",
    "eventless": "**Level, within a bound.** At the upper limit of that rate {loss} of them would "
    "have the event within a year. The curve cannot tell that from none "
    "{{cite}}`pocock2002,morris2019`.",
    "flat": "**Flat within these bounds.** Both limits of that rate are below {rule}, the most for "
    "which a curve is called flat here. At the upper limit {loss} of them would have the event "
    "within a year, at the lower limit {least}. The curve cannot tell the one from the other "
    "{{cite}}`pocock2002,morris2019`.",
    "open": "**Not shown to be flat.** The limits of that rate lie on both sides of {rule}, the "
    "most for which a curve is called flat here. At the upper limit {loss} of them would have the "
    "event within a year, at the lower limit {least}. The curve cannot tell the one from the other "
    "{{cite}}`pocock2002,morris2019`.",
    "falling": "**Still falling.** Both limits of that rate are above {rule}, the most for which a "
    "curve is called flat here {{cite}}`pocock2002,morris2019`.",
}


def plateau_bounds(results: pd.DataFrame, group: str, month: float) -> Prose:
    """Whether a curve is flat after a landmark, and within what: the paragraph after `beyond`."""
    rate = pick(results, "event_rate", group, month)
    return Prose(
        BOUNDS[conclusions.plateau(*rate[["n", "events", "lower", "upper"]])],
        loss=within_a_year(rate, "upper"),
        least=within_a_year(rate, "lower"),
        rule=ruled(
            f"{100 * conclusions.FLAT_BELOW:g} per 100 patient-years",
            "the rate below which a curve may be called flat",
        ),
    )


def within_a_year(rate: pd.Series, part: str) -> Prose:
    """The share in per cent with the event within a year, at the `part` of a rate's result."""
    value = rate[part]
    text = MISSING if pd.isna(value) else rounded(-100 * np.expm1(-value), 0) + "%"
    return sourced(text, rate)


def smallest_column(results: pd.DataFrame, columns: Iterable[str]) -> Prose:
    """How much one patient weighs in the smallest column of a table."""
    least = _smallest(results, columns)
    if pd.isna(least["n"]):
        return Prose("The smallest column holds too few patients to be counted here.")
    step = rounded(100 / least["n"], 1) if least["n"] else "any number of"
    return Prose(
        "The smallest column holds {n} patients. There, one patient more or less moves a "
        "percentage by {step} points.",
        n=sourced(least["n"], least),
        step=sourced(step, least),
    )


def chance_in_smallest(results: pd.DataFrame, columns: Iterable[str]) -> Prose:
    """Why columns that the future defines are not to be compared, least of all small ones."""
    least = _smallest(results, columns)
    future = (
        "**The columns are defined by the future,** so a difference between them is no prognosis."
    )
    if not anybody(least):
        return Prose(future, "**Columns without patients** say nothing.")
    if pd.isna(least["n"]):
        return Prose(future, "**Small columns differ by chance alone.**")
    half = int(least["n"]) // 2
    limits = binomtest(half, int(least["n"])).proportion_ci()
    return Prose(
        future,
        "**Small columns differ by chance alone.** Had {half} of the {n} patients of the smallest "
        "column a trait, the exact 95% interval of its share would go from {limits} "
        "{{cite}}`clopper1934`.",
        half=sourced(half, least),
        n=sourced(least["n"], least),
        limits=sourced(" to ".join(f"{rounded(100 * end, 0)}%" for end in limits), least),
    )


def _smallest(results: pd.DataFrame, columns: Iterable[str]) -> pd.Series:
    """The head of the column with the fewest patients; one that is masked is the smallest.

    A column without any patients is not shown, and does not count.
    """
    heads = [pick(results, "count", f"patients|{column}") for column in columns]
    heads = [row for row in heads if anybody(row)] or heads
    return min(heads, key=lambda row: -1 if pd.isna(row["n"]) else row["n"])


def selected(dataset: Dataset, question: Endpoint, results: pd.DataFrame) -> dict[str, str]:
    """The labels of the factors that are candidates `alone`, and of those `kept` stepwise."""
    true = results[results["estimate"] == 1]
    return {
        name: factors_named(dataset, question, true[true["quantity"] == quantity])
        for name, quantity in (("alone", "associated"), ("kept", "kept"))
    }


def below(
    dataset: Dataset, question: Endpoint, results: pd.DataFrame, quantity: str, level: float
) -> str:
    """The labels of an endpoint's factors whose P of this kind is below a level."""
    small = results[(results["quantity"] == quantity) & (results["estimate"] < level)]
    return factors_named(dataset, question, small)


def factors_named(dataset: Dataset, question: Endpoint, rows: pd.DataFrame) -> str:
    """The labels of an endpoint's factors that some results are about, or `none`."""
    found = set(rows["group"])
    labels = factor_labels(dataset, question)
    return listed(label for key, label in labels.items() if key in found) or "none"


# What a sentence may count, `{n}` or `{n} of {whole}`, and the verb that goes with it.
COUNTED = re.compile(
    r"\{(?P<number>\w+)\}(?: of (?:the )?(?:\{(?P<whole>\w+)\}|others|them))?"
    r"(?P<noun> (?:[a-z-]+ )?(?:patients|events|deaths|factors|survivors|others|lines|levels))?"
    r"(?P<verb> (?:are|were|have|go|enter|give))?\b"
)
OF_ONE = {"are": "is", "were": "was", "have": "has", "go": "goes"}


def _agreed(found: re.Match, values: Mapping[str, object]) -> str:
    """The noun and the verb after a number in a sentence, for one where the number is 1."""
    text, noun, verb = found[0], found["noun"] or "", found["verb"] or ""
    before = text.removesuffix(verb).removesuffix(noun)
    if str(values[found["whole"] or found["number"]]) == "1":
        noun = noun.removesuffix("s")
    if re.match(r"1(?: |$)", str(values[found["number"]])):  # also of `1 of 5 (20.0%)`
        verb = verb and " " + OF_ONE.get(verb.strip(), verb.strip() + "s")
    return before + noun + verb


class Prose:
    """Markdown for the page, a paragraph for each sentence, with values put into their braces.

    A value is text: markup in a label shows as it was written. Only a value that is Prose itself
    keeps its links. As a string, in a label or a list of words, Prose is its plain text. Sentences
    are written for several, `{n} patients were`; where the value is 1, it becomes `1 patient was`.
    """

    def __init__(self, *sentences: str, **values: object) -> None:
        written = {
            name: value.markdown if isinstance(value, Prose) else _literal(str(value))
            for name, value in values.items()
        }
        sentences = [COUNTED.sub(lambda found: _agreed(found, values), s) for s in sentences]
        self.markdown = "\n\n".join(sentence.format(**written) for sentence in sentences)
        self.plain = "\n\n".join(sentence.format(**values) for sentence in sentences)

    @classmethod
    def of(cls, markdown: Prose | str) -> Prose:
        """Prose as it is, or Markdown of our own that has no value in it."""
        return markdown if isinstance(markdown, Prose) else cls(markdown)

    @classmethod
    def joined(cls, parts: Iterable[Prose], between: str = "\n") -> Prose:
        """Several of them in one: as they come, the lines of a list."""
        named = {f"part_{number}": part for number, part in enumerate(parts)}
        return cls(between.join(f"{{{name}}}" for name in named), **named)

    @property
    def html(self) -> str:
        """Its text and links as HTML, for a cell of a table: for Prose without other Markdown."""
        return re.sub(rf"\\([{SPECIAL}])", r"\1", self.markdown)

    def _repr_markdown_(self) -> str:
        return self.markdown

    def __repr__(self) -> str:
        return self.plain


def sourced(text: object, *sources: pd.Series | pd.DataFrame, page: str = "") -> Prose:
    """A number of a sentence, linked to the results that it was read or computed from.

    Each source is a row that `pick` gave, or several rows, of the results of one `page`; without
    a name it is this one. The link leads to the first of them in that page's table of its
    numbers (`tables.numbers_table`), and says on hover what stands there.
    """
    rows = [row for source in sources for row in _rows(source)]
    return _linked(text, (f"{page}.html" if page else "") + f"#{row_id(rows[0])}", _origin(rows))


def declared(text: object, setting: str) -> Prose:
    """A number that no run computes: the dataset declares it. The link leads to the data page."""
    return _linked(
        text, "data.html#settings", f"Declared by the dataset: {setting} in datapackage.json"
    )


def ruled(text: object, what: str) -> Prose:
    """A number that the analysis sets for every dataset. The link leads to the methods page."""
    return _linked(text, "methods.html", f"Set by the analysis for every dataset: {what}")


def installed(text: object, what: str) -> Prose:
    """A name or version of what made the page. The link leads to the page's table of them."""
    return _linked(text, "#made-with", f"As the run found it: {what}")


def paged(text: object, page: str) -> Prose:
    """Words that lead to a page of the book."""
    return _anchored(text, f'href="{page}.html"')


def addressed(url: str) -> Prose:
    """An address of ours, leading to itself."""
    return _anchored(url, f'href="{html.escape(url)}"')


def row_number(row: pd.Series) -> int:
    """The number of a row of the results, as in their file: the first is 1."""
    return int(row.name) + 1


def row_id(row: pd.Series) -> str:
    """The place of a row of the results on its page."""
    return f"row-{row_number(row)}"


def row_key(row: pd.Series) -> str:
    """What a row of the results is about: `survival, os, 24 months`."""
    months = "" if pd.isna(row["months"]) else in_months(row["months"])
    return ", ".join(filter(None, (row["quantity"], row["group"], months)))


def full(value: float) -> str:
    """A number of the results to six digits; its file has all of them."""
    return MISSING if pd.isna(value) else f"{value:.6g}"


def _rows(source: pd.Series | pd.DataFrame) -> list[pd.Series]:
    if isinstance(source, pd.Series):
        return [source]
    return [row for _, row in source.iterrows()]


def _origin(rows: Sequence[pd.Series]) -> str:
    numbers = [row_number(row) for row in rows]
    if len(rows) > 3:
        return f"From {len(rows)} rows of the page’s numbers, {min(numbers)} to {max(numbers)}"
    if len(rows) > 1:
        return f"From rows {listed(map(str, numbers))} of the page’s numbers"
    row = rows[0]
    found = [
        f"{name} {full(row[name])}"
        for name in ("estimate", "lower", "upper", "n", "events")
        if not pd.isna(row[name])
    ]
    return f"Row {row_number(row)}: {row_key(row)}. {', '.join(found)}"


def _linked(text: object, address: str, title: str) -> Prose:
    title = html.escape(" ".join(title.split()))
    return _anchored(text, f'class="number" href="{address}" title="{title}"')


def _anchored(text: object, attributes: str) -> Prose:
    linked = Prose("{text}", text=text)
    linked.markdown = f"<a {attributes}>{linked.markdown}</a>"
    return linked


def _literal(text: str) -> str:
    """Text that neither Markdown nor HTML will read as markup."""
    escaped = html.escape(text.replace("\n", " "), quote=False)
    return re.sub(rf"([{SPECIAL}])", r"\\\1", escaped)
