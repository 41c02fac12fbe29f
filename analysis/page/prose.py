"""Prose whose numbers come from the run, each with a link to where it stands."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from .formats import counted, full, listed, row_id, row_key, row_number, shown
from .rows import pick

SPECIAL = r"\\`*_{}\[\]()#+!|$~^:@"  # what Markdown might read as markup, as a class of a pattern


def share(results: pd.DataFrame, group: str) -> Prose:
    """A count within its whole: `56 of 123 (45.5%)`; of nobody, no percentage."""
    count, percent = (pick(results, quantity, group) for quantity in ("count", "percent"))
    text = f"{counted(count['estimate'])} of {counted(count['n'])}"
    if pd.notna(percent["estimate"]):
        text += f" ({shown(percent['estimate'], 'percent')}%)"
    return sourced(text, count, percent)


# What a sentence may count, `{n}` or `{n} of {whole}`, and the verb that goes with it.
COUNTED = re.compile(
    r"\{(?P<number>\w+)\}(?: of (?:the )?(?:\{(?P<whole>\w+)\}|others|them))?"
    r"(?P<noun> (?:[a-z-]+ )?"
    r"(?:patients|events|deaths|factors|survivors|others|lines|levels|records|results))?"
    r"(?P<verb> (?:are|were|have|go|enter|give))?\b"
)
# The spaces of `P = .02`, where no line may end.
HELD = re.compile(r"\bP (?=(?:<a [^>]*>)?(?:=|&[lg]t;))|(?<==) (?=\.\d)")
OF_ONE = {"are": "is", "were": "was", "have": "has", "go": "goes"}


def _agreed(found: re.Match, values: Mapping[str, object]) -> str:
    """The noun and the verb after a number in a sentence, for one where the number is 1."""
    text, noun, verb = found[0], found["noun"] or "", found["verb"] or ""
    before = text.removesuffix(verb).removesuffix(noun)
    # Also of `1 of 1 (100.0%)`, where the whole is within the value.
    if re.fullmatch(r"(?:\d+ of )?1(?: \(.*\))?", str(values[found["whole"] or found["number"]])):
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
        markdown = "\n\n".join(sentence.format(**written) for sentence in sentences)
        self.markdown = HELD.sub(lambda found: found[0].replace(" ", "\u00a0"), markdown)
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
    numbers (`Page.all_numbers`), and says on hover what stands there.
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


def addressed(url: str, text: str = "") -> Prose:
    """An address that leads to itself, or words that lead to it."""
    return _anchored(text or url, f'href="{html.escape(url)}"')


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
