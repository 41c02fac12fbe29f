"""Two reporting checklists, answered from a run: where a book answers an item, and where it cannot.

Items are numbered as in their guideline and named in our own words. What the run has to say is a
fact, which is there or not, depending on the dataset. What no run can know is left to the authors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from ..dataset.columns import RESERVED
from ..dataset.endpoints import Endpoint, answerable, endpoint
from ..dataset.model import Dataset, Factor
from ..page.formats import counted, in_months, listed, p_value
from ..page.page import Page
from ..page.prose import Prose, declared, paged, ruled, share, sourced, with_interval
from ..page.quantities import MASKED
from ..page.rows import COLUMNS, anybody, pick
from ..page.tables import Row, Table
from ..study.curves import plateau_month
from ..study.models import SELECTION_LEVEL, factor_labels, factors_of

ANSWERED, IN_PART, TO_JUDGE, OPEN = "answered", "in_part", "to_judge", "not_answered"
# A sign for each answer, so that colour says nothing alone.
STATES = {
    ANSWERED: "● Answered",
    IN_PART: "◐ In part",
    TO_JUDGE: "◇ Yours to judge",
    OPEN: "○ Not answered",
}
PAGES = {
    "data": "The data",
    "figure_1a": "Figure 1A",
    "figure_1b": "Figure 1B",
    "figure_1c": "Figure 1C",
    "figure_1d": "Figure 1D",
    "methods": "Methods",
    "patients": "The patients",
    "report": "Report",
    "table_1": "Table 1",
    "table_2": "Table 2",
    "table_3": "Table 3",
}
CURVES = {"os": "figure_1a", "rfs": "figure_1b", "os_after_hsct": "figure_1c"}


# --- what a run has to say ---------------------------------------------------------------------


@dataclass
class Study:
    """The results of every page of a dataset's book, and those of them that a page shows.

    A page that shows a number keeps its row, so that the number leads to a row of that page's
    own results. `first` is the place of the first kept row: the counts of answers come before it.
    """

    dataset: Dataset
    pages: dict[str, pd.DataFrame]
    first: int = 0
    kept: list[pd.DataFrame] = field(default_factory=list)

    @classmethod
    def of(cls, page: Page, first: int = 0) -> Study:
        """The study of a page that runs after those whose results it tells.

        Raises NotRecorded where its patients are so few that they are masked.
        """
        endpoint(page.data, "os")
        return cls(page.data, page.others(), first)

    @cached_property
    def endpoints(self) -> dict[str, Endpoint]:
        """The endpoints that the dataset records, by name."""
        found = answerable(self.dataset, "os", "rfs", "relapse", "os_after_hsct")
        return {question.name: question for question in found}

    def has(self, page: str, quantity: str) -> bool:
        """Whether a page has an estimate of this quantity."""
        return page in self.pages and len(self.estimates(page, quantity)) > 0

    def estimates(self, page: str, quantity: str) -> pd.DataFrame:
        """The rows of a quantity on a page that hold an estimate."""
        rows = self.pages[page]
        return rows[rows["quantity"].eq(quantity) & rows["estimate"].notna()]

    def rows(self, page: str, *keys: tuple) -> pd.DataFrame:
        """The rows of these keys on a page, kept, numbered as in the results of this one."""
        return pd.concat([self._keep(pick(self.pages[page], *key)) for key in keys])

    def row(self, page: str, *key: object) -> pd.Series:
        """One row, kept."""
        return self.rows(page, key).iloc[0]

    def interval(self, page: str, quantity: str, group: str, months: float | None = None) -> Prose:
        """An estimate with its interval, its row kept."""
        rows = self.rows(page, (quantity, group, months))
        return with_interval(rows, quantity, group, months)

    def last_followed(self, page: str, name: str) -> float | None:
        """The last landmark month to which anybody was followed; past it an estimate is carried."""
        return self._last(page, name, self.dataset.settings.months)

    def last_known(self, page: str, name: str) -> float | None:
        """The same; where nobody was followed to a landmark, the last month of the curve."""
        found = self.last_followed(page, name)
        return self._last(page, name) if found is None else found

    def _last(self, page: str, name: str, among: Sequence[float] | None = None) -> float | None:
        rows = self.pages[page]
        rows = rows[
            rows["quantity"].eq("at_risk") & rows["group"].eq(name) & rows["estimate"].ne(0)
        ]
        found = [m for m in rows["months"] if m > 0 and (among is None or m in among)]
        return max(found, default=None)

    def followed_without_event(self) -> bool:
        """Whether anybody was: of a masked number somebody was."""
        events = pick(self.pages["figure_1a"], "median_followup", "os")["events"]
        return bool(pd.isna(events) or events > 0)

    def results(self, counts: Sequence[dict] = ()) -> pd.DataFrame:
        """The page's own results: the counts, then what was kept, row by row."""
        frame = pd.DataFrame(list(counts), columns=COLUMNS)
        frame = frame.astype(dict.fromkeys(COLUMNS[2:6], float) | {"n": "Int64", "events": "Int64"})
        parts = [part for part in (frame, *self.kept) if len(part)]
        return pd.concat(parts, ignore_index=True) if parts else frame

    def counted(self, group: str, count: int) -> Prose:
        """A count of this page's own: of what the dataset names, not of its patients."""
        values = {"quantity": "declared", "group": group, "estimate": count}
        row = self._keep(pd.Series(values, index=COLUMNS)).iloc[0]
        return sourced(count, row)

    def _keep(self, row: pd.Series) -> pd.DataFrame:
        """One line of a page's results; a line that was kept before has its place already."""
        line = row.to_frame().T.astype(
            dict.fromkeys(COLUMNS[2:6], float) | {"n": "Int64", "events": "Int64"}
        )
        for number, known in enumerate(self.kept):
            if known.reset_index(drop=True).equals(line.reset_index(drop=True)):
                return self.kept[number]
        line.index = [self.first + len(self.kept)]
        self.kept.append(line)
        return line


@dataclass(frozen=True)
class Fact:
    """Something that a book says: its name where it is missing, and its sentence or None."""

    name: str
    say: Callable[[Study], Prose | None]


def link(page: str) -> Prose:
    """The name of a page, leading to it."""
    return paged(PAGES[page], page)


def _links(text: str, **values: object) -> Prose:
    """A sentence in which the name of a page in braces is a link to it."""
    named = {page: link(page) for page in PAGES if f"{{{page}}}" in text}
    return Prose(text, **named, **values)


def always(text: str) -> Callable[[Study], Prose]:
    """A sentence that holds for every book."""
    return lambda study: _links(text)


def _where(text: str, page: str, quantity: str) -> Callable[[Study], Prose | None]:
    """A sentence that holds where a page has an estimate of a quantity."""
    return lambda study: _links(text) if study.has(page, quantity) else None


def _population(study: Study) -> Prose | None:
    named = study.dataset.package["analysis"].get("population")
    return _links("The patients are called “{named}” ({data}).", named=named) if named else None


def _treatment(study: Study) -> Prose | None:
    named = study.dataset.settings.treatment
    return _links("The outcomes come after {named} ({data}).", named=named) if named else None


def _described(study: Study) -> Prose | None:
    """None where a column of the dataset's own has no description."""
    own = [entry for entry in study.dataset.fields if entry["name"] not in RESERVED]
    if not own or not all(entry.get("description") for entry in own):
        return None
    return _links("{data} says what each column means.")


def _outcomes(study: Study) -> Prose:
    titles = [question.title.lower() for question in study.endpoints.values()]
    return _links("{methods} defines the endpoints: {titles}.", titles=listed(titles))


def _factors(study: Study) -> Prose | None:
    labels = [factor.label for factor in compared(study)]
    if not labels:
        return None
    n = study.counted("factors", len(labels))
    return _links("Factors in {table_3}, {n}: {labels}.", n=n, labels="; ".join(labels))


def _number_of_factors(study: Study) -> Prose | None:
    """The same in short."""
    n = len(compared(study))
    if not n:
        return None
    return _links("Factors in {table_3}: {n}.", n=study.counted("factors", n))


def _handling(study: Study) -> Prose | None:
    known_first = [factor for factor in compared(study) if factor.kind == "baseline"]
    if not known_first:
        return None
    straight = [factor.label for factor in known_first if not factor.numerator]
    return _links(
        "{data} gives the sides of each factor. As a number, in a straight line: {straight}.",
        straight="; ".join(straight) or "none",
    )


def compared(study: Study) -> list[Factor]:
    """The factors of any endpoint that the dataset records, each once."""
    found = [f for q in study.endpoints.values() for f in factors_of(study.dataset, q)]
    return list(dict.fromkeys(found))


def _selection(study: Study) -> Prose | None:
    if "table_3" not in study.pages:
        return None
    return _links(
        "Adjustment is by Cox models: all candidates with P below {level} in one, and the stepwise "
        "choice among them ({methods}).",
        level=level(),
    )


def level() -> Prose:
    """The level of selection, as a reader sees it."""
    return ruled(p_value(SELECTION_LEVEL).removesuffix("0"), "the level of candidates, entry, exit")


def _subsets(study: Study) -> Prose:
    labels = [factor.label for factor in compared(study) if factor.among]
    return _links(
        "No interaction is fitted ({methods}). Models in a part of the patients, as declared: "
        "{labels}.",
        labels="; ".join(labels) or "none",
    )


def counts_known(study: Study) -> bool:
    """Whether Table 1 counts the patients known in every baseline factor."""
    page = study.pages.get("table_1")
    return page is not None and "known_in_every_factor" in set(page["group"])


def _known(study: Study) -> Prose | None:
    if not counts_known(study):
        return None
    return _links(
        "Known in every baseline factor: {known} ({table_1}).",
        known=shared(study, "table_1", "known_in_every_factor"),
    )


def _missing(study: Study) -> Prose | None:
    """How many patients are blank or unknown in each characteristic and factor of baseline."""
    dataset, rows = study.dataset, study.pages["data"]
    entries = [e for e in (*dataset.characteristics, *compared(study)) if e.kind == "baseline"]
    columns = list(dict.fromkeys(entry.column for entry in entries))
    if not columns:
        return None
    number, labels = {}, {}
    for place, column in enumerate(columns):
        row = pick(rows, "count", column)
        missing = row["n"] - row["estimate"]
        if missing == 0:
            continue
        masked = pd.isna(missing) or missing < dataset.mask_below
        kept = study.row("data", "count", column)
        number[f"n_{place}"] = sourced(MASKED if masked else counted(missing), kept)
        labels[f"label_{place}"] = dataset.label(column)
    each = [f"{{{label}}}, {{{n}}}" for label, n in zip(labels, number, strict=True)]
    return _links(
        "Blank or unknown at baseline: "
        + ("; ".join(each) or "nobody")
        + ". {data} counts for each column in how many patients it is known.",
        **number,
        **labels,
    )


def shared(study: Study, page: str, group: str) -> Prose:
    """A count within its whole, of a page."""
    return share(study.rows(page, ("count", group), ("percent", group)), group)


def _lost(study: Study) -> Prose:
    months = study.dataset.settings.long_term_months
    alive = anybody(study.row("patients", "count", "seen_early|alive_at_end"))
    return _links(
        "Who had no event is censored when last seen ({methods}). "
        + (
            "Of those alive then, {early} were seen for {months} at most ({patients})."
            if alive
            else "Nobody was alive then ({patients})."
        ),
        early=shared(study, "patients", "seen_early|alive_at_end"),
        months=declared(in_months(months), "long_term_months"),
    )


def _count(study: Study) -> Prose:
    row = study.row("patients", "count", "patients")
    return _links(
        "{n} patients are in the dataset ({patients}).", n=sourced(counted(row["n"]), row)
    )


def _flow(study: Study) -> Prose | None:
    if "response_day" not in study.dataset.patients:
        return None
    known = set(study.pages["patients"]["group"])
    hsct = "hsct_in_remission|response_day" in known
    return _links(
        "{response}: {responded}"
        + ("; transplant in remission: {treated}" if hsct else "")
        + ". {patients} draws the flow.",
        response=study.dataset.label("response_day"),
        responded=shared(study, "patients", "response_day|patients"),
        treated=shared(study, "patients", "hsct_in_remission|response_day") if hsct else "",
    )


def _baseline(study: Study) -> Prose | None:
    labels = [e.label for e in study.dataset.characteristics if e.kind == "baseline"]
    if "table_1" not in study.pages or not labels:
        return None
    return _links("{table_1} describes the patients by: {labels}.", labels="; ".join(labels))


def _spread(study: Study) -> Prose | None:
    """None where a factor known at baseline has no row in Table 1."""
    rows = {entry.column for entry in study.dataset.characteristics if entry.kind == "baseline"}
    factors = {factor.column for factor in compared(study) if factor.kind == "baseline"}
    if not factors or not factors <= rows:
        return None
    return _links("Each factor known at baseline has a row there.")


def _followup(study: Study) -> Prose:
    if not study.followed_without_event():
        return _links(
            "Everybody was followed until death, a median of {median} ({figure_1a}).",
            median=study.interval("figure_1a", "median", "os"),
        )
    return _links(
        "Median follow-up by reverse Kaplan–Meier: {median} ({figure_1a}).",
        median=study.interval("figure_1a", "median_followup", "os"),
    )


def _events(name: str, words: str) -> Callable[[Study], Prose | None]:
    """How many had the event of an endpoint that has a curve."""
    page = CURVES[name]

    def say(study: Study) -> Prose | None:
        if page not in study.pages:
            return None
        row = study.row(page, "median", name)
        return _links(
            f"{words}: {{events}} in {{n}} patients ({{{page}}}).",
            events=sourced(counted(row["events"]), row),
            n=sourced(counted(row["n"]), row),
        )

    return say


def _relapse(study: Study) -> Prose | None:
    last = study.last_known("figure_1d", "relapse") if "figure_1d" in study.pages else None
    if last is None:
        return None
    row = study.row("figure_1d", "cumulative_incidence", "relapse", last)
    return _links(
        "Relapses, where death without relapse competes: {events} by {last}, an incidence of "
        "{incidence} ({figure_1d}).",
        events=sourced(counted(row["events"]), row),
        last=sourced(in_months(last), row),
        incidence=study.interval("figure_1d", "cumulative_incidence", "relapse", last),
    )


def _alone(study: Study) -> Prose | None:
    """The first factor with an estimate stands for all."""
    if not study.has("table_3", "hazard_ratio_univariate"):
        return None
    found = study.estimates("table_3", "hazard_ratio_univariate").iloc[0]
    return _links(
        "Alone: {label}, {ratio}; {table_3} has every factor.",
        label=label_of(study, found["group"]),
        ratio=ratio(study, found),
    )


def _adjusted(study: Study) -> Prose | None:
    """A model of one factor adjusts for nothing, so one of several is looked for."""
    for kind in ("multivariate", "unselected"):
        if not study.has("table_3", f"hazard_ratio_{kind}"):
            continue
        rows = study.estimates("table_3", f"hazard_ratio_{kind}")
        for _, model in rows.groupby(rows["group"].str.partition(":")[0], sort=False):
            if len(model) > 1:
                return _links(
                    "Beside the other factors of its model: {label}, {ratio}; {table_3} has all.",
                    label=label_of(study, model.iloc[0]["group"]),
                    ratio=ratio(study, model.iloc[0]),
                )
    return None


def label_of(study: Study, key: str) -> str:
    """The label of a factor by its group in the results."""
    labels = {}
    for question in study.endpoints.values():
        labels |= factor_labels(study.dataset, question)
    return labels[key]


def ratio(study: Study, found: pd.Series) -> Prose:
    """A hazard ratio of Table 3 with its interval."""
    return study.interval("table_3", found["quantity"], found["group"])


def _absolute(study: Study) -> Prose | None:
    last = study.last_known("figure_1a", "os")
    if last is None:
        return None
    return _links(
        "Survival itself, of all: {survival} at {last} ({figure_1a}).",
        survival=study.interval("figure_1a", "survival", "os", last),
        last=sourced(in_months(last), study.row("figure_1a", "survival", "os", last)),
    )


def _plateau(study: Study) -> Prose | None:
    start = plateau_month(study.dataset)
    if not anybody(pick(study.pages["figure_1a"], "event_rate", "os", start)):
        return None  # nobody was followed so long
    return _links(
        "Deaths after {start}: {rate} ({figure_1a}).",
        start=declared(in_months(start), "months"),
        rate=study.interval("figure_1a", "event_rate", "os", start),
    )


def _funder(study: Study) -> Prose | None:
    """Contributors whose role says that they paid, in either form of the Data Package standard."""
    people = study.dataset.package.get("contributors", [])
    found = [
        str(person.get("title", ""))
        for person in people
        if "funder" in {str(person.get("role")).lower(), *map(str.lower, person.get("roles", []))}
    ]
    if not any(found):
        return None
    return Prose("The dataset names as its funder: {names}.", names=listed(filter(None, found)))


FACTS = {
    "abstract": Fact("sentences for an abstract", always(
        "{report} has the methods and the results in sentences to paste.")),
    "absolute": Fact("survival itself", _absolute),
    "adjusted": Fact("ratios adjusted for other factors", _adjusted),
    "alternatives": Fact("other ways to compute", always(
        "{methods} shows how far other programs’ defaults move the numbers.")),
    "baseline": Fact("characteristics of the patients", _baseline),
    "competing": Fact("relapse", _relapse),
    "count": Fact("the number of patients", _count),
    "deaths": Fact("deaths", _events("os", "Deaths")),
    "described": Fact("what each column means", _described),
    "each_known": Fact("how many are known in each factor", _where(
        "{table_3} says of each factor on how many patients its model rests.",
        "table_3", "hazard_ratio_univariate")),
    "factors": Fact("factors to compare", _factors),
    "filled": Fact("how many values are known", _missing),
    "flow": Fact("response", _flow),
    "followup": Fact("follow-up of patients without the event", _followup),
    "funder": Fact("who paid", _funder),
    "how_many_factors": Fact("factors to compare", _number_of_factors),
    "handling": Fact("factors known at baseline", _handling),
    "known": Fact("who is known in every factor", _known),
    "lost": Fact("loss to follow-up", _lost),
    "methods": Fact("the methods", always(
        "{methods} says how each number is computed, and {report} has it as a paragraph.")),
    "mislead": Fact("what could mislead", always(
        "Pages end with what could mislead, computed from these patients, as {figure_1a} does.")),
    "outcomes": Fact("endpoints", _outcomes),
    "plateau": Fact("patients followed beyond the landmark", _plateau),
    "population": Fact("what the patients are called", _population),
    "proportional": Fact("a test that ratios stay the same", _where(
        "{table_3} tests whether each ratio stays the same, and shows it early and late.",
        "table_3", "p_proportional_univariate")),
    "relapse_free": Fact("relapse after response", _events("rfs", "Relapses or deaths")),
    "selection": Fact("factors to adjust for", _selection),
    "subsets": Fact("interactions", _subsets),
    "summary": Fact("the results", always("{report} has the main results in sentences.")),
    "transplanted": Fact("transplant in remission", _events(
        "os_after_hsct", "Deaths after transplant in remission")),
    "treatment": Fact("the treatment", _treatment),
    "spread": Fact("a row of Table 1 for each factor known at baseline", _spread),
    "unadjusted": Fact("ratios of single factors", _alone),
    "unknown": Fact("how unknown values are treated", always(
        "Who is unknown in a factor is left out of its models, and nothing is imputed. A blank day "
        "counts as not having happened ({methods}).")),
    "unselected": Fact("all candidates in one model", _where(
        "{table_3} has all candidates in one model, without selection.",
        "table_3", "hazard_ratio_unselected")),
}  # fmt: skip


# --- the lists ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Item:
    """One line of a checklist.

    `write` says what only the authors can add. With `whole` the facts answer the item, if all of
    them are there; else they answer a part. `words` names what in datapackage.json may hold the
    answer: no run can judge that. `why` begins the sentence where there is no answer.
    """

    number: str
    name: str
    section: str
    write: str
    facts: tuple[str, ...] = ()
    whole: bool = False
    words: str = ""
    why: str = "Not recorded in this dataset"


FRONT, INTRODUCTION, METHODS, RESULTS, DISCUSSION, OTHER = (
    "Title and abstract", "Introduction", "Methods", "Results", "Discussion", "Other",
)  # fmt: skip

STROBE = (
    Item("1a", "Kind of study, named at once", FRONT,
         "what kind of study this was, in the title or the abstract"),
    Item("1b", "Abstract", FRONT, "why the study was done and what follows", ("abstract",)),
    Item("2", "Reason for the study", INTRODUCTION, "what was known, and what was not"),
    Item("3", "Aims", INTRODUCTION, "what the questions were, and which were set beforehand"),
    Item("4", "Design", METHODS, "how the cohort came about, and whether it looks back or forward",
         words="description"),
    Item("5", "Places and dates", METHODS,
         "where, and from when to when patients came in, were treated and were followed",
         words="description"),
    Item("6a", "Who could take part", METHODS,
         "who was let in, how they were found, and how they were followed", ("population",)),
    Item("6b", "Matching", METHODS, "whether patients were matched, on what, and how many"),
    Item("7", "Variables", METHODS, "how diagnoses were made, and which factors may confound",
         ("outcomes", "described", "factors")),
    Item("8", "Sources and measurement", METHODS,
         "for each variable, where it was taken from and how it was measured", words="sources"),
    Item("9", "Bias", METHODS, "which biases were expected, and what was done about them"),
    Item("10", "Size of the study", METHODS, "why there are as many patients as there are"),
    Item("11", "Numbers as factors", METHODS, "why values were grouped as they were",
         ("handling",)),
    Item("12a", "Statistical methods", METHODS,
         "which factors may confound, named beforehand, and how they were dealt with",
         ("methods", "selection")),
    Item("12b", "Subgroups and interactions", METHODS, "which subgroups were looked at, and how",
         ("subsets",), whole=True),
    Item("12c", "Missing values", METHODS, "why values are missing",
         ("unknown", "known"), whole=True),
    Item("12d", "Loss to follow-up", METHODS, "who was lost, and why", ("lost",)),
    Item("12e", "Sensitivity analyses", METHODS,
         "what was varied to see if the results hold: losses, unknown values, definitions",
         ("unselected",)),
    Item("13a", "Numbers at each stage", RESULTS,
         "how many were screened and found fit before they came into the dataset",
         ("count", "flow")),
    Item("13b", "Reasons for leaving", RESULTS, "why patients did not take part, stage by stage"),
    Item("13c", "Flow diagram", RESULTS, "what comes before the first box", ("flow",)),
    Item("14a", "Characteristics", RESULTS, "who the patients were, by every factor",
         ("baseline", "spread"), whole=True),
    Item("14b", "Missing values, counted", RESULTS, "how many values of each factor are missing",
         ("filled", "each_known", "known"), whole=True),
    Item("14c", "Length of follow-up", RESULTS, "how long patients were followed",
         ("followup",), whole=True),
    Item("15", "Events", RESULTS, "how many had each outcome",
         ("deaths", "relapse_free", "competing", "transplanted"), whole=True),
    Item("16a", "Estimates, plain and adjusted", RESULTS,
         "estimates adjusted for factors that were named before, and why these; here P chose them",
         ("unadjusted", "adjusted", "selection")),
    Item("16b", "Limits of categories", RESULTS,
         "where numbers were cut into groups, also before the data came here", ("handling",)),
    Item("16c", "Absolute risk", RESULTS, "the risk itself in the groups that ratios compare",
         ("absolute",)),
    Item("17", "Further analyses", RESULTS, "which further analyses were made",
         ("plateau", "proportional"), whole=True),
    Item("18", "Main results", DISCUSSION, "what they say to the aims", ("summary",)),
    Item("19", "Limitations", DISCUSSION, "the limits of this study, and which way they push",
         ("mislead",)),
    Item("20", "Interpretation", DISCUSSION, "what it means, with care and beside other studies"),
    Item("21", "Who it holds for", DISCUSSION, "to which other patients the results apply"),
    Item("22", "Funding", OTHER, "who paid, and what part they had in the study", ("funder",)),
)  # fmt: skip

REMARK = (
    Item("1", "Factor, aims, hypotheses", INTRODUCTION,
         "which factor the study is about, and what was expected of it",
         ("how_many_factors",)),
    Item("2", "Patients", METHODS, "where patients came from, and who was let in or left out",
         ("population", "baseline")),
    Item("3", "Treatment", METHODS, "what was given, and how it was chosen", ("treatment",)),
    Item("4", "Specimens", METHODS, "what was sampled, and how it was kept"),
    Item("5", "Assay", METHODS, "how the factor was measured, and who knew the outcome then"),
    Item("6", "Selection of cases and follow-up", METHODS,
         "whether the study looks back or forward, how cases were drawn, and its years",
         ("followup",)),
    Item("7", "Endpoints", METHODS, "what each endpoint is", ("outcomes",), whole=True),
    Item("8", "Candidate variables", METHODS, "any other variable that was looked at before",
         ("factors",)),
    Item("9", "Reason for the size", METHODS,
         "why there are as many patients, and what effect could have been seen"),
    Item("10", "Statistical methods", METHODS, "how models were built and checked",
         ("methods", "selection", "proportional", "unknown"), whole=True),
    Item("11", "Values and cutpoints", METHODS, "how cutpoints were chosen", ("handling",)),
    Item("12", "Flow and events", RESULTS, "who was left out before the dataset, and why",
         ("count", "flow", "deaths")),
    Item("13", "Distributions and missing values", RESULTS,
         "how every factor is spread, and how many values are missing",
         ("baseline", "spread", "filled", "each_known"), whole=True),
    Item("14", "The factor beside known ones", RESULTS,
         "how the factor goes with the known prognostic ones", why="Not computed by this book"),
    Item("15", "Each factor alone", RESULTS, "survival itself at each level of the factor",
         ("unadjusted", "absolute")),
    Item("16", "Factors together", RESULTS, "estimates of a model of several factors",
         ("adjusted",), whole=True),
    Item("17", "Beside the standard factors", RESULTS,
         "a model that holds the standard factors whatever their P", ("unselected",)),
    Item("18", "Checks of the results", RESULTS, "a validation of the model",
         ("proportional", "alternatives")),
    Item("19", "Interpretation and limits", DISCUSSION,
         "what the results say to the hypotheses, and beside other studies", ("mislead",)),
    Item("20", "What follows", DISCUSSION, "what it means for research and for patients"),
)  # fmt: skip


# --- answering ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What a run has to say to an item."""

    item: Item
    state: str
    text: Prose


def answer(study: Study, item: Item) -> Answer:
    """The facts of an item, what of them is not recorded, and what is the authors' to write."""
    said = {name: FACTS[name].say(study) for name in item.facts}
    facts = [prose for prose in said.values() if prose]
    missing = [FACTS[name].name for name, prose in said.items() if not prose]
    if facts:
        state = ANSWERED if item.whole and not missing else IN_PART
        parts = [*facts]
        if missing:
            parts.append(Prose("Not recorded in this dataset: {missing}.", missing=listed(missing)))
        if state == IN_PART:
            parts.append(Prose("The authors’ to write: {write}.", write=item.write))
        return Answer(item, state, Prose.joined(parts, " "))
    if words := own_words(study.dataset, item.words):
        text = (
            "The dataset says “{words}”, which no run can judge ({data}). See that it says {write}."
        )
        return Answer(item, TO_JUDGE, _links(text, words=words, write=item.write))
    text = "{why}: the authors’ to write. Say {write}."
    return Answer(item, OPEN, Prose(text, why=item.why, write=item.write))


def own_words(dataset: Dataset, key: str) -> str:
    """What datapackage.json says in words. Of invented patients it can say nothing that counts."""
    if dataset.settings.synthetic or not key:
        return ""
    if key == "description":
        return dataset.description
    titles = [entry.get("title") or entry.get("path", "") for entry in dataset.package.get(key, [])]
    return "; ".join(filter(None, titles))


@dataclass(frozen=True)
class Checklist:
    """The answers to a list, and the results of its page."""

    answers: tuple[Answer, ...]
    results: pd.DataFrame

    def summary(self) -> Prose:
        """How many items have which answer; each count leads to its row."""
        found = {state: pick(self.results, "items", state) for state in STATES}
        counts = {state: sourced(f"{row['estimate']:.0f}", row) for state, row in found.items()}
        whole = found[ANSWERED]
        judge = found[TO_JUDGE]["estimate"]
        return Prose(
            "**Of {n} items, this book answers {answered}, and {in_part} in part.** "
            + (
                "For {to_judge} it has the dataset’s own words, which you must judge. "
                * bool(judge)
            )
            + "{not_answered} are the authors’ alone to write.",
            n=sourced(whole["n"], whole),
            **counts,
        )


def checklist(page: Page, items: Sequence[Item]) -> Checklist:
    """Every item of a list with its answer from the other pages' results."""
    study = Study.of(page, first=len(STATES))
    answers = tuple(answer(study, item) for item in items)
    counts = [
        {
            "quantity": "items",
            "group": state,
            "estimate": sum(found.state == state for found in answers),
            "n": len(answers),
        }
        for state in STATES
    ]
    return Checklist(answers, study.results(counts))


def checklist_table(dataset: Dataset, made: Checklist, name: str, caption: str) -> Table:
    """The list, by section, each item with its answer."""
    rows: list[Row] = []
    for found in made.answers:
        if found.item.section not in {row.heading for row in rows if not row.cells}:
            rows.append(Row(found.item.section))
        rows.append(Row(found.item.number, (found.item.name, STATES[found.state], found.text)))
    columns = ("Item", "About", "Answer", "Where, or what to write")
    short = dataset.settings.abbreviations
    return Table(name, caption, columns, rows, words=True, cards=True, abbreviations=short)
