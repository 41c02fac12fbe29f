"""Thousands of spoilt datasets: each is refused in plain lines, or every page can be made of it.

A mutant is made from its seed alone: `python tests/test_fuzz.py SEED` says what becomes of it, and
`python tests/test_fuzz.py all` makes every page of every mutant.
"""

from __future__ import annotations

import ast
import copy
import csv
import io
import json
import random
import re
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any
from unittest import mock

import IPython.display
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from inprocess import QUICK, as_data, in_rounds  # noqa: E402

from analysis.dataset.model import Dataset, NotRecorded, load  # noqa: E402
from analysis.dataset.problems import DataError  # noqa: E402
from analysis.page import charts  # noqa: E402
from analysis.page import page as opening  # noqa: E402
from analysis.site.preview import preview_alt  # noqa: E402

MUTANTS = 2000
# So many mutants in `make test`, and in `make test-all`; there every page is made of some.
LOADED = [200, pytest.param(MUTANTS, marks=pytest.mark.wide)]
MADE = 40
# The cell of the methods where begins what is slow and the same for any dataset.
OF_R = "values-of-r"
LINE = re.compile(r"[^:]+(, .+?)?: \S.*")
VALUES = [
    *("", " ", "0", "-1", "1", "0.5", "1e3", "1e308", "1e999", "-0", "nan", "inf", "NA", "9,5"),
    *("50000", "50001", "44259", "2021-03-04", "04/03/21", "yes", "no", "YES", "yes\u200b", "high"),
    *("High", "standard ", "<script>alert(1)</script>", "=cmd|'/C calc'!A0", "+1", "@x", "-x"),
    *(
        '"',
        "a\nb",
        "\x07",
        "\u202e",
        "é",
        "e\u0301",
        "漢字",
        "😀",
        "\ufffe",
        "x" * 3000,
        "|",
        "a=b",
    ),
    *("Unknown", "{cite}`z`", "$m$", "[x](javascript:1)", "\\", "%", "1" * 400, "0.1" + "0" * 400),
]
JSON_VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1, 0.5, 35, 1e308, 10**30, "", " ", "x", "yes", "<b>", "\ud800"),
    *("a\nb", [], {}, [1], ["yes"], ["high"], {"a": 1}, "died", "response_day", "risk", "../x"),
    *(1e-300, "age", ["no", "no"], [12, 24], [0.001], [1200, 1199], 365.25, "os", ["os"], 1201),
    *("postbaseline", "baseline", "outcome", "treatment", "number", "string", "integer", "boolean"),
]
HEADS = ["died", "response_day", "x", "", "event", "patients", "age", " age", "a|b", "\ufeff"]


@dataclass
class Spoilt:
    """A dataset to be written: its package, header, rows, printed numbers, and what was `done`."""

    seed: int
    package: Any
    header: list[str]
    rows: list[list[str]]
    published: str = ""
    done: list[str] = field(default_factory=list)
    spoil_bytes: Callable[[bytes], bytes] | None = None
    spoil_json: Callable[[str], str] | None = None

    def write(self, folder: Path) -> Path:
        """The folder, with what was done to its bytes."""
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.package)
        (folder / "datapackage.json").write_text(
            self.spoil_json(text) if self.spoil_json else text, "utf-8"
        )
        table = io.StringIO()
        csv.writer(table, lineterminator="\n").writerows([self.header, *self.rows])
        data = table.getvalue().encode()
        (folder / "patients.csv").write_bytes(self.spoil_bytes(data) if self.spoil_bytes else data)
        if self.published:
            (folder / "published.csv").write_text(self.published, "utf-8")
        return folder

    @property
    def fields(self) -> list[dict]:
        return self.package["resources"][0]["schema"]["fields"]

    def place(self, name: str) -> int:
        return self.header.index(name)

    def column(self, name: str) -> Iterator[tuple[list[str], int]]:
        place = self.place(name)
        return ((row, place) for row in self.rows)


# --- valid datasets ------------------------------------------------------------------------------

TYPES = {
    "patient_id": {"constraints": {"required": True, "unique": True}},
    "risk": {"constraints": {"enum": ["standard", "high", "Unknown"]}},
    "age": {"type": "integer", "constraints": {"minimum": 18}},
    "marker": {"type": "number"},
    "evaluable": {"constraints": {"enum": ["yes", "no"]}},
    "site": {},
}
DAYS = ["response_day", "mrd_response_day", "hsct_day", "relapse_day", "last_assessment_day"]


def valid(random: random.Random) -> Spoilt:
    """A small cohort in which nothing is wrong; it may lack some of the optional columns."""
    days = [name for name in DAYS if random.random() < 0.9]
    header = [*TYPES, *days, "last_contact_day", "died"]
    fields = [
        {"name": name, "title": name.upper(), **copy.deepcopy(TYPES.get(name, {}))}
        for name in header
    ]
    rows = [_patient(random, number, header) for number in range(random.randint(20, 60))]
    package = {
        "name": "small",
        "title": "Small",
        "description": "A small cohort.",
        "public": random.random() < 0.5,
        "resources": [{"name": "patients", "path": "patients.csv", "schema": {"fields": fields}}],
        "analysis": _analysis(random, days),
    }
    published = ""
    if random.random() < 0.3:
        published = (
            "page,quantity,group,months,part,printed,place,note,kind\n"
            "figure_1a,survival,os,24,estimate,23.4,Abstract,,emergent\n"
            "figure_1a,median,os,,estimate,7.5,Results,A note.,emergent\n"
            "table_3,kept,os:age,,estimate,yes,Table 3,,\n"
            ",given,Dose,,estimate,40,Methods,,given\n"
        )
    return Spoilt(0, package, header, rows, published)


def _patient(random: random.Random, number: int, header: list[str]) -> list[str]:
    last = random.randint(1, 2500)
    response = random.randint(0, last) if random.random() < 0.6 else None
    after = 0 if response is None else response
    drawn = {
        "patient_id": f"P{number}",
        "risk": random.choice(["standard", "high", "high", "Unknown"]),
        "age": random.randint(18, 80),
        "marker": random.choice(["", round(random.uniform(0, 9), 2)]),
        "evaluable": random.choice(["yes", "yes", "no"]),
        "site": random.choice(["A", "B"]),
        "response_day": "" if response is None else response,
        "mrd_response_day": random.choice(["", random.randint(0, last)]),
        "hsct_day": random.choice(["", random.randint(after, last)]),
        "relapse_day": random.choice(["", "" if response is None else random.randint(after, last)]),
        "last_assessment_day": random.choice(["", random.randint(after, last)]),
        "last_contact_day": last,
        "died": random.choice(["yes", "no"]),
    }
    return [str(drawn[name]) for name in header]


def _analysis(random: random.Random, days: list[str]) -> dict:
    sides = {"numerator": ["high"], "denominator": ["standard"]}
    factors = [
        {"column": "age", "label": "Age", "kind": "baseline"},
        {"column": "marker", "label": "Marker", "kind": "baseline"},
        {"column": "risk", "label": "Risk", "kind": "baseline", **sides},
    ]
    if "response_day" in days:
        os_only = {"kind": "postbaseline", "endpoints": ["os"]}
        factors.append({"column": "response_day", "label": "Response", **os_only})
    if "mrd_response_day" in days:
        among = {"kind": "postbaseline", "among": "evaluable"}
        factors.append({"column": "mrd_response_day", "label": "MRD", **among})
    if {"hsct_day", "response_day", "relapse_day"} <= set(days):
        within = {"among": "response_day", "before": "relapse_day"}
        factors.append({"column": "hsct_day", "label": "HSCT", "kind": "postbaseline", **within})
    made = {"time_origin": "diagnosis", "factors": factors}
    if random.random() < 0.7:
        made["characteristics"] = [
            {"column": "age", "kind": "baseline", "statistics": ["median"]},
            {"column": "risk", "kind": "baseline", "levels": ["standard", "high"]},
            {"column": "site", "kind": random.choice(["baseline", "treatment", "outcome"])},
        ]
    if random.random() < 0.5:
        made["months"] = random.choice([[12], [6, 12], [24, 36, 48, 60]])
    return made


# --- ways to spoil one ---------------------------------------------------------------------------


def cells(m: Spoilt, random: random.Random) -> None:
    for _ in range(random.choice([1, 1, 2, 10])):
        row = random.choice(m.rows)
        row[random.randrange(len(row))] = random.choice(VALUES)


def a_column_of_one_value(m: Spoilt, random: random.Random) -> None:
    place, value = random.randrange(len(m.header)), random.choice(VALUES)
    for row in m.rows:
        row[place] = value


def a_column_copied(m: Spoilt, random: random.Random) -> None:
    one, other = (random.randrange(len(m.header)) for _ in range(2))
    for row in m.rows:
        row[one] = row[other]


def a_column_shuffled(m: Spoilt, random: random.Random) -> None:
    place = random.randrange(len(m.header))
    values = [row[place] for row in m.rows]
    random.shuffle(values)
    for row, value in zip(m.rows, values, strict=True):
        row[place] = value


def a_column_scaled(m: Spoilt, random: random.Random) -> None:
    name = random.choice([name for name in m.header if name in {*DAYS, "age", "marker"}] or ["age"])
    factor = random.choice([0, 1e-9, 1e-3, 0.1, 7, 20, 1e6, 1e12, 1e14])
    for row, place in m.column(name):
        if row[place]:
            row[place] = repr(float(row[place]) * factor)


def all_days_scaled(m: Spoilt, random: random.Random) -> None:
    factor = random.choice([0, 1e-9, 1e-4, 0.01, 0.1, 0.5, 3, 19])
    for name in (*DAYS, "last_contact_day"):
        if name in m.header:
            for row, place in m.column(name):
                if row[place]:
                    row[place] = repr(float(row[place]) * factor)


def days_rounded(m: Spoilt, random: random.Random) -> None:
    """Ties: all days at a few days only."""
    step = random.choice([100, 365, 1000, 3000])
    for name in (*DAYS, "last_contact_day"):
        if name in m.header:
            for row, place in m.column(name):
                if row[place]:
                    row[place] = str(int(float(row[place])) // step * step)


def blanks(m: Spoilt, random: random.Random) -> None:
    place, share = random.randrange(1, len(m.header)), random.random()
    for row in m.rows:
        if random.random() < share:
            row[place] = ""


def extremes(m: Spoilt, random: random.Random) -> None:
    """What may befall everybody."""
    died, last = m.place("died"), m.place("last_contact_day")
    dates = [m.place(name) for name in DAYS if name in m.header]
    which = random.randrange(11)
    for row in m.rows:
        if which in (0, 1, 2, 3):
            row[died] = "no" if which % 2 else "yes"
        if which in (2, 3, 4):
            row[last] = "0"
            for place in dates:
                row[place] = "0" if row[place] else ""
        if which == 5:
            for place in dates:
                row[place] = ""
        if which == 6:
            for place in dates:
                row[place] = "0"
        if which == 7:
            for place in dates:
                row[place] = row[last]
        if which == 8 and {"response_day", "relapse_day"} <= set(m.header):
            row[m.place("relapse_day")] = row[m.place("response_day")]
        if which == 9 and "relapse_day" in m.header:
            row[m.place("relapse_day")] = "0"
        if which == 10 and row[died] == "yes":
            row[last] = "100"


def fewer_rows(m: Spoilt, random: random.Random) -> None:
    m.rows = m.rows[: random.choice([0, 1, 1, 2, 3, 5, 10])]


def rows_repeated(m: Spoilt, random: random.Random) -> None:
    m.rows += [list(row) for row in m.rows]
    if random.random() < 0.8:
        for number, row in enumerate(m.rows):
            row[0] = f"Q{number}"


def the_same_patient(m: Spoilt, random: random.Random) -> None:
    m.rows = [[f"R{number}", *m.rows[0][1:]] for number in range(len(m.rows))] if m.rows else []


def ragged(m: Spoilt, random: random.Random) -> None:
    row = random.choice(m.rows) if m.rows else []
    if random.random() < 0.5:
        row += [random.choice(VALUES)]
    elif row:
        row.pop(random.randrange(len(row)))


def header(m: Spoilt, random: random.Random) -> None:
    m.header = list(m.header)
    m.header[random.randrange(len(m.header))] = random.choice(HEADS)


def a_column_gone(m: Spoilt, random: random.Random) -> None:
    """From the table, and perhaps from what describes it."""
    place = random.randrange(len(m.header))
    name = m.header[place]
    m.header = m.header[:place] + m.header[place + 1 :]
    m.rows = [row[:place] + row[place + 1 :] for row in m.rows]
    if random.random() < 0.8:
        m.fields[:] = [entry for entry in m.fields if entry["name"] != name]
    if random.random() < 0.8:
        for part in ("factors", "characteristics"):
            entries = m.package["analysis"].get(part, [])
            entries[:] = [entry for entry in entries if name not in entry.values()]


def a_column_renamed(m: Spoilt, random: random.Random) -> None:
    """In both files: names that code might use for itself."""
    place = random.randrange(len(m.header))
    old = m.header[place]
    names = ("start", "event", "time", "month", "n", "os", "lost", "a.b", "a b", "x:y", "<b>", "é")
    new = random.choice([*names, "relapse_free", "survival", "patient", "index", "level_0", "0"])
    m.header = [new if name == old else name for name in m.header]
    m.package = json.loads(json.dumps(m.package).replace(json.dumps(old), json.dumps(new)))


def a_level_renamed(m: Spoilt, random: random.Random) -> None:
    """In both files: levels that a page must show as text."""
    old = random.choice(["high", "standard", "Unknown"])
    new = random.choice([value for value in VALUES if value.strip() == value != ""])
    m.package = json.loads(json.dumps(m.package).replace(json.dumps(old), json.dumps(new)))
    m.rows = [[new if cell == old else cell for cell in row] for row in m.rows]


def _parts(part: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a JSON value: a container and its key."""
    keys = part.items() if isinstance(part, dict) else enumerate(part)
    for key, value in list(keys):
        yield part, key
        if isinstance(value, dict | list):
            yield from _parts(value)


def package(m: Spoilt, random: random.Random) -> None:
    """Any place of the package: another value, none, or another key."""
    _spoil_json(m.package, random)


def settings(m: Spoilt, random: random.Random) -> None:
    """A value of `analysis`, which has most to say."""
    made = m.package["analysis"]
    keys = ("months", "long_term_months", "days_per_month", "population", "treatment", "synthetic")
    if random.random() < 0.4:
        made[random.choice([*keys, "time_origin", "mnths"])] = random.choice(JSON_VALUES)
        return
    _spoil_json(made, random)


def _spoil_json(root: Any, random: random.Random) -> None:
    part, key = random.choice(list(_parts(root)))
    what = random.random()
    if what < 0.6:
        part[key] = copy.deepcopy(random.choice(JSON_VALUES))
    elif what < 0.8:
        del part[key]
    elif isinstance(part, dict):
        part[random.choice(["x", "labl", "$comment", "among", "before", "levels"])] = part[key]
    else:
        part.append(copy.deepcopy(part[key]))


def factor(m: Spoilt, random: random.Random) -> None:
    """Another column, kind, side, `among`, `before` or endpoint of a factor that is there."""
    entries = m.package["analysis"].get("factors") or [{}]
    entry = random.choice(entries)
    name = random.choice(m.header)
    choices = {
        "column": name,
        "among": name,
        "before": name,
        "kind": random.choice(["baseline", "postbaseline"]),
        "endpoints": random.choice([["rfs"], ["os"], ["rfs", "os"], ["os", "os"]]),
        "numerator": random.choice([["high"], ["nobody"], ["40"], [40], ["standard", "high"]]),
        "denominator": random.choice([["standard"], ["nobody"], ["50"], ["Unknown"]]),
    }
    for key in random.sample(sorted(choices), random.randint(1, 3)):
        entry[key] = choices[key]
    if random.random() < 0.2:
        entries[:] = entries[:1]


def characteristic(m: Spoilt, random: random.Random) -> None:
    entries = m.package["analysis"].setdefault("characteristics", [])
    entry = {"column": random.choice(m.header), "kind": random.choice(["baseline", "outcome"])}
    if random.random() < 0.4:
        entry["among"] = random.choice(m.header)
    if random.random() < 0.4:
        entry["levels"] = random.choice([["high"], ["nobody", "high"], ["18", "20"]])
    if random.random() < 0.4:
        entry["statistics"] = random.choice([["n"], ["mean", "n"], ["median", "median"]])
    entries.append(entry)


def types(m: Spoilt, random: random.Random) -> None:
    entry = random.choice(m.fields)
    entry["type"] = random.choice(["string", "integer", "number", "boolean", "any", "date"])
    if random.random() < 0.5:
        limits = [{}, {"required": True}, {"unique": True}, {"minimum": 5}, {"maximum": 5}]
        entry["constraints"] = random.choice([*limits, {"enum": ["1", 2, "3"]}, {"enum": ["1", 1]}])


def words(m: Spoilt, random: random.Random) -> None:
    """Titles, labels and captions of any text."""
    text = random.choice(VALUES)
    spots = [m.package, m.package["analysis"], *m.fields, *m.package["analysis"]["factors"]]
    spots[random.randrange(len(spots))][
        random.choice(["title", "label", "description", "time_origin", "population", "treatment"])
    ] = text


def json_text(m: Spoilt, random: random.Random) -> None:
    place, sign = random.random(), random.choice('{}[]",:\\0\x00\n')
    kind = random.randrange(4)

    def spoil(text: str) -> str:
        at = int(place * len(text))
        deep = "[" * 100_000
        return [text[:at], text[:at] + sign + text[at + 1 :], deep, text + text][kind]

    m.spoil_json = spoil


def table_bytes(m: Spoilt, random: random.Random) -> None:
    place, byte, kind = random.random(), random.randrange(256), random.randrange(9)

    def spoil(data: bytes) -> bytes:
        at = int(place * len(data))
        text = data.decode("utf-8", "replace")
        return [
            lambda: data[:at],
            lambda: data[:at] + bytes([byte]) + data[at:],
            lambda: data[:at] + bytes([byte]) + data[at + 1 :],
            lambda: text.encode("utf-16"),
            lambda: text.encode("latin-1", "replace"),
            lambda: data.replace(b",", bytes([random_delimiter])),
            lambda: b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n"),
            lambda: b"PK\x03\x04" + data,
            lambda: data.replace(b"\n", b"\n\n\n"),
        ][kind]()

    random_delimiter = random.choice(b";\t|")
    m.spoil_bytes = spoil


def printed(m: Spoilt, random: random.Random) -> None:
    if not m.published:
        m.published = "page,quantity,group,months,part,printed,place,note,kind\n"
    page = random.choice(["figure_1a", "table_2", "in_the_text", "nowhere", ""])
    group = random.choice(["os", "rfs", "os:age", "patients", "", "<b>"])
    value = random.choice(["23.4", "1" * 400, ".5", "0.000000000000001", "yes", "NR", "5.", "²"])
    months = random.choice(["", "24", "12.5", "1e999", "1e308", "x"])
    quantity = random.choice(["survival", "median", "kept", "count", "given", ""])
    m.published += f"{page},{quantity},{group},{months},estimate,{value},Abstract,,emergent\n"


WAYS = [
    *(cells, a_column_of_one_value, a_column_copied, a_column_shuffled, a_column_scaled),
    *(
        all_days_scaled,
        days_rounded,
        blanks,
        extremes,
        extremes,
        extremes,
        fewer_rows,
        rows_repeated,
    ),
    *(the_same_patient, ragged, header, a_column_gone, a_column_gone, a_column_renamed),
    *(a_level_renamed, package, package, settings, settings, factor, factor, factor),
    *(characteristic, types, words, words, json_text, table_bytes, printed),
]


def spoilt(seed: int) -> Spoilt:
    """The mutant of a seed: a valid dataset, spoilt in one to three ways."""
    drawn = random.Random(seed)
    mutant = valid(drawn)
    mutant.seed = seed
    for way in drawn.choices(WAYS, k=drawn.choice([1, 1, 2, 3])):
        try:
            way(mutant, drawn)
        except (LookupError, TypeError, AttributeError, ValueError):
            continue  # what it would spoil is spoilt already
        mutant.done.append(way.__name__)
    return mutant


# --- what becomes of it --------------------------------------------------------------------------


def loaded(mutant: Spoilt, folder: Path) -> Dataset | None:
    """The dataset, or None where it is refused. Raises for anything else, bad lines among them."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return load(mutant.write(folder))
        except DataError as error:
            for lines in (error.problems, error.lines(private=True)):
                assert lines, "no line at all"
                for line in lines:
                    assert LINE.fullmatch(line), f"not a well formed line: {line!r}"
                    assert line.isprintable(), f"not one line for a terminal: {line!r}"
                    assert len(line) < 1000, f"a line of {len(line)} characters"
            return None


def pages() -> dict[str, list[str]]:
    """The code cells of each page that shows a dataset, as the notebooks have them.

    In the order of a build: the pages that read the results of others come last.
    """
    found = {}
    for place in in_rounds(load(ROOT / "data" / "blinatumomab")):
        cells = json.loads(place.path.read_text("utf-8"))["cells"]
        cells = takewhile(lambda cell: cell["id"] != OF_R, cells)
        asked = f'endpoint = "{place.endpoint}"'
        found[place.name] = [
            re.sub(
                r"(?m)^(resamples|draws) = \d+",
                quick,
                re.sub(r'(?m)^endpoint = ".*"', asked, "".join(cell["source"])),
            )
            for cell in cells
            if cell["cell_type"] == "code"
            and not "".join(cell["source"]).startswith("%%")  # runs by itself: tests/test_plain.py
        ]
    return found


def quick(parameter: re.Match[str]) -> str:
    """A parameter of a lesson with fewer repetitions."""
    return f"{parameter[1]} = {QUICK[parameter[1]]}"


def shown(value: object) -> None:
    """Whatever Jupyter would make of a value."""
    for name in ("_repr_mimebundle_", "_repr_markdown_", "_repr_html_"):
        if hasattr(value, name):
            json.dumps(getattr(value, name)()).encode()
            return


def make_page(cells: list[str], dataset: Dataset, out: Path) -> bool:
    """Run a page's cells and show what they show; False where it says that its data are lacking."""
    names: dict[str, Any] = {}
    write_to, read_from = opening.write, opening.read
    write = mock.patch.object(
        opening, "write", lambda results, _, page: write_to(results, out, page)
    )
    read = mock.patch.object(opening, "read", lambda _: read_from(out))
    load_it = mock.patch.object(opening, "load", lambda *_, **__: dataset)
    display = mock.patch.object(IPython.display, "display", shown)
    # lifelines switches warnings of numpy off for the whole process; each page begins with them on.
    heard = np.errstate(divide="warn", invalid="warn", over="warn")
    with load_it, display, heard, write, read, warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            for source in cells:
                tree = ast.parse(source)
                last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
                exec(compile(tree, "<cell>", "exec"), names)
                if last:
                    shown(eval(compile(ast.Expression(last.value), "<cell>", "eval"), names))
        except NotRecorded as sentence:
            assert str(sentence).strip()
            return False
    return True


def make_every_page(mutant: Spoilt, dataset: Dataset, out: Path) -> int:
    """Make every page, each mutant's in a folder of `out`; returns how many had what to show."""
    made = 0
    out = out / str(mutant.seed)  # or a page would read what another mutant has left
    for name, cells in pages().items():
        try:
            made += make_page(cells, dataset, out)
        except Exception as error:
            raise AssertionError(f"{told(mutant)}: page {name}: {error!r}") from error
    preview_alt(dataset)
    return made


def told(mutant: Spoilt) -> str:
    return f"seed {mutant.seed} ({', '.join(mutant.done)})"


def survivors(seeds: Iterable[int], folder: Path) -> Iterator[tuple[Spoilt, Dataset | None]]:
    for seed in seeds:
        mutant = spoilt(seed)
        try:
            yield mutant, loaded(mutant, folder / str(seed))
        except Exception as error:
            raise AssertionError(f"{told(mutant)}: {error!r}") from error


# --- the tests -----------------------------------------------------------------------------------


def test_what_is_not_spoilt_loads(tmp_path: Path) -> None:
    for seed in range(20):
        assert loaded(valid(random.Random(seed)), tmp_path / str(seed)) is not None


def test_the_same_seed_makes_the_same_mutant(tmp_path: Path) -> None:
    for seed in range(50):
        one, other = (spoilt(seed).write(tmp_path / name) for name in "ab")
        for name in ("patients.csv", "datapackage.json"):
            assert (one / name).read_bytes() == (other / name).read_bytes()


@pytest.mark.parametrize("mutants", LOADED)
def test_every_mutant_is_refused_in_plain_lines_or_loads(tmp_path: Path, mutants: int) -> None:
    outcomes = Counter(data is None for _, data in survivors(range(mutants), tmp_path))
    assert outcomes[True] > mutants / 4 and outcomes[False] > mutants / 4, outcomes


@pytest.mark.wide
def test_every_page_can_be_made_of_what_loads(tmp_path: Path) -> None:
    """Of a sample; `python tests/test_fuzz.py all` does it for every mutant."""
    made = 0
    for mutant, dataset in survivors(range(0, MUTANTS, MUTANTS // MADE), tmp_path):
        if dataset is not None:
            assert make_every_page(mutant, dataset, tmp_path / "results") >= 4
            made += 1
    assert made >= MADE / 5


def test_a_page_that_fails_is_told_with_its_seed(tmp_path: Path, monkeypatch) -> None:
    """An error and a warning: a test that cannot fail would find neither."""
    dataset = load("data/bmt")
    broken = {
        "ratio = 1 / 0": "ZeroDivisionError",
        "import numpy as np\nnp.float64(1) / 0": "RuntimeWarning",
    }
    for code, error in broken.items():
        monkeypatch.setattr("test_fuzz.pages", lambda code=code: {"figure_1a": [code]})
        with pytest.raises(AssertionError, match=rf"seed 7 \(.*\): page figure_1a: {error}"):
            make_every_page(spoilt(7), dataset, tmp_path)


def test_a_line_that_is_none_is_told_with_its_seed(tmp_path: Path, monkeypatch) -> None:
    def refuse(_: Path) -> None:
        raise DataError(["two\nlines"])

    monkeypatch.setattr("test_fuzz.load", refuse)
    with pytest.raises(AssertionError, match=r"seed 7 \(.*not a well formed line"):
        list(survivors(iter([7]), tmp_path))


def main(seeds: range, quick: bool) -> None:
    """All of it: prints each failure with its seed, and the counts."""
    counts: Counter[str] = Counter()
    start = time.time()
    drawing = mock.patch.object(charts, "_drawn", as_data) if quick else mock.MagicMock()
    with tempfile.TemporaryDirectory() as place, drawing:
        for seed in seeds:
            mutant = spoilt(seed)
            counts["mutants"] += 1
            try:
                dataset = loaded(mutant, Path(place, str(seed)))
                if dataset is None:
                    counts["refused"] += 1
                    continue
                counts["pages"] += make_every_page(mutant, dataset, Path(place, "results"))
                counts["all pages"] += 1
            except Exception as error:
                counts["failed"] += 1
                print(told(mutant), f"{error}"[:600], flush=True)
            if counts["mutants"] % 100 == 0:
                print(dict(counts), f"{time.time() - start:.0f} s", flush=True)
    print(dict(counts), f"{time.time() - start:.0f} s")


if __name__ == "__main__":
    given = sys.argv[1]
    if given == "all":
        main(range(MUTANTS), quick=len(sys.argv) > 2)
    elif ":" in given:
        main(range(*map(int, given.split(":"))), quick=len(sys.argv) > 2)
    else:
        main(range(int(given), int(given) + 1), quick=False)
