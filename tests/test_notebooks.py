"""The committed notebooks: run, complete, clean, and the same when run again.

`make test` builds the site, which runs all of them: what it shows is compared here with what they
store. `make test-all` runs them once more under nbval, as a reader with Jupyter would. nbval passes
a notebook without outputs, hence the other checks.
"""

from __future__ import annotations

import ast
import configparser
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT
from docutils import nodes
from inprocess import without_kernels

from analysis.dataset.model import load
from analysis.page.contents import places
from analysis.site.build import PAPER as PAPERS
from analysis.site.build import notebooks
from analysis.site.notebooks import METADATA, NOT_RECORDED, NotebookError, execute, serialise

NOTEBOOKS = notebooks()
SILENT = {
    "write",
    "write_entry",
    "record",
    "add_count",
    "farthest",
    "refitted",
    "require",
    "models_table",
}  # helpers that return nothing, always or for some data


def should_show(source: str) -> bool:
    """Whether a cell ends with a value that Jupyter displays."""
    if source.startswith("%%"):
        return True
    body = ast.parse(source).body
    if not body or not isinstance(body[-1], ast.Expr):
        return False
    value = body[-1].value
    return not (isinstance(value, ast.Call) and ast.unparse(value.func).split(".")[-1] in SILENT)


def problems(notebook: nbformat.NotebookNode) -> list[str]:
    """What keeps a notebook from being a reference for its own rerun."""
    found = []
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if not any(cell.outputs for cell in code):
        found.append("no outputs at all")
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        found.append("not run from top to bottom")
    for cell in code:
        kinds = {output.output_type for output in cell.outputs}
        if should_show(cell.source) and not kinds:
            found.append(f"cell {cell.id}: shows a value, but stores none")
        if "error" in kinds or any(output.get("name") == "stderr" for output in cell.outputs):
            found.append(f"cell {cell.id}: stores an error or a warning")
    return found


def nbval(notebook: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-q", notebook]
        + ["--nbval-sanitize-with", ROOT / "tests" / "nbval.cfg"]
        + ["-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", notebook.parent],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def outputs(path: Path) -> dict[str, str]:
    """What each code cell of a notebook shows, by the cell's id; without what nbval leaves out."""
    rules = configparser.RawConfigParser()
    rules.read(ROOT / "tests" / "nbval.cfg")
    made = {}
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            for output in cell["outputs"]:
                output.pop("execution_count", None)  # papermill's cell of parameters counts too
            made[cell["id"]] = json.dumps(cell["outputs"], ensure_ascii=False)
            for rule in rules.sections():
                made[cell["id"]] = re.sub(
                    rules[rule]["regex"], rules[rule]["replace"], made[cell["id"]]
                )
    return made


# A notebook that the paper's book has not is run anew by nbval alone.
SHOWN = sorted({place.path for place in places(load(PAPERS)) if place.path in NOTEBOOKS})


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: path.stem)
def test_a_notebook_stores_what_the_site_shows(path: Path, site: Path) -> None:
    """The build ran it anew: each of its cells gave what stands in book/, to the last digit."""
    stored, shown = outputs(path), outputs(site / "_sources" / path.name)
    shown.pop("books", None)  # the cards of all books, which the build puts into the first page
    assert list(stored) == list(shown)
    assert [cell for cell in stored if stored[cell] != shown[cell]] == []


def test_there_are_notebooks_and_all_are_in_the_contents() -> None:
    assert NOTEBOOKS
    assert set(NOTEBOOKS) == set((ROOT / "book").rglob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_stores_what_it_shows(path: Path) -> None:
    text = path.read_text("utf-8")
    notebook = nbformat.reads(text, as_version=4)
    assert problems(notebook) == []
    assert serialise(notebook) == text
    assert "papermill" not in notebook.metadata
    assert str(ROOT) not in text


PAPER = [path for path in NOTEBOOKS if re.match(r"figure_|table_|in_the_text", path.name)]
ANATOMY = ["How to read it", "What could mislead", "Against the print", "The numbers of this page"]
DEFINITION = {"What is shown", "What is estimated"}  # folded, like what stands after it


@pytest.mark.parametrize("path", PAPER, ids=lambda path: path.stem)
def test_a_page_of_the_paper_ends_as_all_do(path: Path) -> None:
    """What could mislead is computed: code follows its heading."""
    cells = nbformat.read(path, as_version=4).cells
    headings = {
        heading: place
        for place, cell in enumerate(cells)
        if cell.cell_type == "markdown"
        for heading in re.findall(r"^## (.*)$", cell.source, re.MULTILINE)
    }
    *_, definition, _, _ = headings
    assert definition in DEFINITION
    assert [heading for heading in headings if heading != definition][-4:] == ANATOMY
    between = cells[headings["What could mislead"] : headings[definition]]
    assert any(cell.cell_type == "code" and cell.outputs for cell in between)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_without_outputs_is_found(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    assert "no outputs at all" in problems(notebook)


def without_drawings(text: str) -> str:
    """A drawing's text is measured with the machine's fonts; the data stand beside it."""
    return re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL)


def test_a_rerun_gives_the_same_bytes(tmp_path: Path) -> None:
    path = ROOT / "book" / "figure_1a.ipynb"
    executed = serialise(execute(path, tmp_path / "raw.ipynb", {}))
    assert without_drawings(executed) == without_drawings(path.read_text("utf-8"))


@pytest.mark.wide  # as nbval itself
def test_nbval_sees_one_changed_digit(tmp_path: Path) -> None:
    text = (ROOT / "book" / "table_1.ipynb").read_text("utf-8")
    notebook = nbformat.reads(text, as_version=4)
    shown = next(
        output.data
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "<td>" in output.get("data", {}).get("text/html", "")
    )
    copy = tmp_path / "table_1.ipynb"
    nbformat.write(notebook, copy)
    assert nbval(copy).returncode == 0
    shown["text/html"] = re.sub(
        r"(<td>)(\d)", lambda m: m[1] + str((int(m[2]) + 1) % 10), shown["text/html"], count=1
    )
    nbformat.write(notebook, copy)
    result = nbval(copy)
    assert result.returncode == 1
    assert "mismatch" in result.stdout


def test_a_kernel_that_dies_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "dies.ipynb"
    cell = nbformat.v4.new_code_cell("import os\nos._exit(1)", id="dies")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=METADATA), path)
    with pytest.raises(NotebookError, match="its kernel died"):
        execute(path, tmp_path / "raw.ipynb", {})


def hidden_code():
    """The extension that names folded code, which is no part of a package."""
    path = ROOT / "book" / "_ext" / "hidden_code.py"
    module = importlib.util.module_from_spec(importlib.util.spec_from_file_location("named", path))
    module.__spec__.loader.exec_module(module)
    return module


def test_folded_code_says_of_what_it_is():
    name_of = hidden_code().name_of
    assert name_of("# The figure\ndraw()", ["tag_hide-input"], "Curves") == "Code: The figure"
    assert name_of("page.all_numbers()", ["tag_hide-input"], "Numbers") == "Code: Numbers"
    assert name_of("x = 1", ["tag_hide-input", "tag_parameters"], "A") == "Code: Parameters"
    assert name_of("# answer: x", ["tag_hide-cell", "tag_solution"], "One") == "Solution: One"
    assert name_of("check(answer)", ["tag_hide-cell"], "One") == "Is it right? One"
    title, folded = nodes.title("", "How many are cured?"), nodes.container()
    nodes.section("", title, folded)
    assert hidden_code().heading(folded) == "How many are cured?"
    assert hidden_code().heading(nodes.container()) == ""


def test_no_toggle_gives_an_answer_away():
    """A quiz shows no code, for its code says which option is right; a solution says what it is."""
    for path in notebooks():
        for cell in nbformat.read(path, as_version=4).cells:
            tags = cell.metadata.get("tags", [])
            if cell.cell_type == "code" and "quiz(" in cell.source:
                assert "remove-input" in tags, path.stem
            if cell.cell_type == "code" and cell.source.startswith("# answer"):
                assert {"hide-cell", "solution"} <= set(tags), path.stem


def test_a_folded_cell_has_a_name():
    """Its first line is a comment; a line that stands alone goes by the heading above it."""
    for path in notebooks():
        for cell in nbformat.read(path, as_version=4).cells:
            tags = set(cell.metadata.get("tags", []))
            if cell.cell_type == "code" and "hide-input" in tags and "parameters" not in tags:
                assert cell.source.startswith("# "), f"{path.stem}: {cell.source[:60]}"


def test_a_page_shows_the_parameters_that_its_notebook_ran_with(site: Path) -> None:
    notebook = json.loads((site / "bmt" / "_sources" / "figure_1b.ipynb").read_text("utf-8"))
    (own,) = (cell["source"] for cell in notebook["cells"]
              if "parameters" in cell["metadata"].get("tags", []))  # fmt: skip
    lines = "".join(own).splitlines()
    assert 'dataset = "data/bmt"' in lines and 'endpoint = "rfs"' in lines
    assert "mask_below = 0" in lines  # which nothing has set


# --- a page that ends early ----------------------------------------------------------------------


def ending(tmp_path: Path, *cells: tuple[str, str]) -> list[tuple[str, str]]:
    """Id and what is shown of each cell of an executed notebook; a cell is its tag and source."""
    made = nbformat.v4.new_notebook()
    for place, (tag, source) in enumerate(cells):
        new = nbformat.v4.new_code_cell if tag != "words" else nbformat.v4.new_markdown_cell
        tags = {"tags": ["any-data" if tag == "words" else tag]}
        made.cells.append(new(source, id=f"cell-{place}", metadata=tags))
    nbformat.write(made, tmp_path / "made.ipynb")
    with without_kernels():
        done = execute(tmp_path / "made.ipynb", tmp_path / "raw.ipynb", {"mask_below": 0})
    assert not (tmp_path / "again.ipynb").exists()
    return [(cell.id, str(cell.get("outputs") or cell.source)) for cell in done.cells]


LACKING = "raise NotRecorded('Nobody {} here.')"
BEGUN = (
    ("parameters", "mask_below = 0"),
    ("own", "from analysis.dataset.model import NotRecorded\nx = 7"),
)


def test_what_needs_no_data_follows_the_note(tmp_path: Path) -> None:
    made = ending(
        tmp_path,
        *BEGUN,
        ("own", LACKING.format("relapses")),
        ("own", "print('lost')"),
        ("words", "Read on."),
        ("any-data", "print(6 * x)"),
    )
    assert [name for name, _ in made] == ["cell-0", "cell-1", NOT_RECORDED, "cell-4", "cell-5"]
    assert "Nobody relapses here" in made[2][1] and "42" in made[4][1]


def test_words_alone_follow_without_a_second_run(tmp_path: Path) -> None:
    made = ending(
        tmp_path, *BEGUN, ("own", f"print(x)\n{LACKING.format('dies')}"), ("words", "Read on.")
    )
    assert [name for name, _ in made] == ["cell-0", "cell-1", NOT_RECORDED, "cell-3"]


def test_a_second_lack_has_its_own_note_and_the_same_one_none(tmp_path: Path) -> None:
    made = ending(
        tmp_path,
        *BEGUN,
        ("own", LACKING.format("relapses")),
        ("any-data", LACKING.format("relapses")),
        ("any-data", LACKING.format("dies")),
        ("any-data", "print(6 * x)"),
    )
    assert [name for name, _ in made] == [
        *("cell-0", "cell-1", NOT_RECORDED, f"{NOT_RECORDED}-2", "cell-5")
    ]
    assert "Nobody dies here" in made[3][1]
    with pytest.raises(NameError):  # any other error is one of the notebook
        ending(tmp_path, *BEGUN, ("own", LACKING.format("dies")), ("any-data", "unknown"))
