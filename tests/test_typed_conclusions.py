"""No conclusion about the patients is typed into a page: what words say, the run decides.

A sentence of a notebook with a word of CONCLUDING is held to be a conclusion about these patients,
unless typed_conclusions.csv has it, with the reason why it holds for every dataset. Quizzes are
left out: their cases are invented.
"""

from __future__ import annotations

import ast
import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.dataset.model import ROOT

CONCLUDING = re.compile(
    r"\b(flat\w*|fell|falls|falling|rises?|cross\w*|overlap\w*|significan\w*|opposite|cured?"
    r"|(?:dis)?prove[sd]?|outlive\w*|protect\w*|harm\w*)\b",
    re.IGNORECASE,
)
REASONS = {
    "general": "holds for every dataset, of the method or of any curve",
    "question": "asks, and does not answer",
    "print": "takes its numbers from the print, whatever they are",
    "name": "a word that the code needs",
    "run": "one of several, of which the run chooses",
}
ALLOWED = Path(__file__).with_name("typed_conclusions.csv")
# That two intervals overlap says nothing of a difference: no page may argue so.
BY_OVERLAP = re.compile(r"intervals?[^.]{0,40}\b(overlap\w*|meet)\b", re.IGNORECASE)
TAUGHT = "neither by the crossing nor by whether two intervals overlap"


def typed(notebook: Path) -> Iterator[str]:
    """The sentences that stand in a notebook, in its text and in the strings of its code."""
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        source = "".join(cell["source"])
        if "quiz(" in source or source.startswith("%%"):
            continue
        texts = [source]
        if cell["cell_type"] == "code":
            nodes = ast.walk(ast.parse(source))
            texts = [node.value for node in nodes if isinstance(node, ast.Constant)]
        for text in filter(lambda value: isinstance(value, str), texts):
            yield from filter(None, (s.strip() for s in re.split(r"(?<=[.?!:])\s+|\n+", text)))


def concluding(sentences: Iterator[str]) -> set[str]:
    return {sentence for sentence in sentences if CONCLUDING.search(sentence)}


def found() -> set[tuple[str, str]]:
    return {
        (path.stem, sentence)
        for path in (ROOT / "book").glob("*.ipynb")
        for sentence in concluding(typed(path))
    }


def allowed() -> dict[tuple[str, str], str]:
    with ALLOWED.open(encoding="utf-8", newline="") as lines:
        return {(row["page"], row["sentence"]): row["why"] for row in csv.DictReader(lines)}


def test_a_conclusion_in_a_page_is_the_run_s_or_has_a_reason():
    assert found() - set(allowed()) == set()


def test_every_reason_is_one_of_ours_and_still_needed():
    assert set(allowed().values()) <= set(REASONS)
    assert set(allowed()) - found() == set()


@pytest.mark.parametrize(
    ("sentence", "noticed"),
    [
        ("The curve of the responders is flat after three years.", True),
        ("A third of these patients are cured.", True),
        ("The two curves cross at two years.", True),
        ("The median was {median}.", False),
    ],
)
def test_a_new_conclusion_is_noticed(sentence, noticed):
    assert (concluding(iter([sentence])) == {sentence}) == noticed


def test_no_page_argues_by_whether_intervals_overlap():
    """Each word of a page stands in a notebook, in a module or in a text of the book."""
    told = {path: " ".join(typed(path)) for path in (ROOT / "book").glob("*.ipynb")}
    modules = [*(ROOT / "analysis").rglob("*.py"), *(ROOT / "book").glob("*.md")]
    for path in modules:
        # The parts of a sentence that is broken over lines, joined as Python joins them.
        told[path] = re.sub(r'"\s+"', "", path.read_text("utf-8"))
    said = {
        path.name for path, words in told.items() if BY_OVERLAP.search(words.replace(TAUGHT, ""))
    }
    assert said == set()
    assert BY_OVERLAP.search("Their intervals overlap, so chance may have a part in it.")
    assert BY_OVERLAP.search("The intervals do not meet.")
