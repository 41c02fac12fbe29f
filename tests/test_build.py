"""The build: what runs again and what does not, and what a failure leaves behind.

Most tests use a small book of two notebooks on two of the shipped datasets, in a copy of the
repository, so that each takes seconds. The last ones use the real book.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT, command, copy_of_repository

from analysis import build, provenance
from analysis import site as pages
from analysis.notebooks import METADATA

PARAMETERS = 'dataset = "data/blinatumomab"\nresults_folder = "_build/results"\nscale = 1'
COUNT = """import csv, os
from pathlib import Path
rows = list(csv.DictReader(open(Path(dataset, "patients.csv"), encoding="utf-8")))
Path(results_folder, "count.csv").write_text(f"n\\n{scale * len(rows)}\\n")
print(len(rows), "patients in", os.path.abspath(dataset), "from", os.getcwd())"""
RESPONSE = """import csv
from pathlib import Path
from analysis.dataset import NotRecorded
columns = csv.DictReader(open(Path(dataset, "patients.csv"), encoding="utf-8")).fieldnames
if "response_day" not in columns:
    raise NotRecorded("No <b>response</b> & *no* $x$ in these data.")
Path(results_folder, "response.csv").write_text("n\\n1\\n")
print("response is recorded")"""


def write_notebook(path: Path, title: str, code: str) -> None:
    cells = [
        nbformat.v4.new_markdown_cell(f"# {title}", id="title"),
        nbformat.v4.new_code_cell(PARAMETERS, id="parameters", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(code, id="code"),
        nbformat.v4.new_markdown_cell(f"[numbers](results/{path.stem}.csv)", id="link"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=METADATA), path)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with the small book, built, in a folder with a space."""
    root = copy_of_repository(tmp_path_factory.mktemp("small") / "a book")
    for path in (root / "book").iterdir():
        if path.is_file():
            path.unlink()
    shutil.rmtree(root / "data" / "myeloid")
    toc = "format: jb-book\nroot: index\nchapters:\n- file: count\n- file: response\n"
    (root / "book" / "_toc.yml").write_text(toc)
    (root / "book" / "index.md").write_text("# Small\n\n{doc}`count`, then {doc}`response`.\n")
    (root / "book" / "references.bib").write_text("")
    write_notebook(root / "book" / "count.ipynb", "Count", COUNT)
    write_notebook(root / "book" / "response.ipynb", "Response", RESPONSE)
    result = command(root, "book")
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("index.html (4 notebooks run, 0 unchanged, over 2 datasets)\n")
    return root


@pytest.fixture
def small(built: Path, tmp_path: Path) -> Path:
    """The small book in a place of its own, with the cache of the first build."""
    return Path(shutil.copytree(built, tmp_path / "moved here"))


def deaths_only(folder: Path) -> Path:
    """Write a dataset that records deaths and nothing else."""
    package = json.loads((ROOT / "data" / "bmt" / "datapackage.json").read_text("utf-8"))
    kept = ["patient_id", "last_contact_day", "died"]
    fields = package["resources"][0]["schema"]["fields"]
    package["resources"][0]["schema"]["fields"] = [f for f in fields if f["name"] in kept]
    package["analysis"] = {"time_origin": "transplant"}
    package["title"] = "Deaths & nothing else"
    folder.mkdir()
    (folder / "datapackage.json").write_text(json.dumps(package), "utf-8")
    lines = (ROOT / "data" / "bmt" / "patients.csv").read_text("utf-8").splitlines()
    places = [lines[0].split(",").index(name) for name in kept]
    rows = (",".join(line.split(",")[place] for place in places) for line in lines)
    (folder / "patients.csv").write_text("\n".join(rows) + "\n", "utf-8")
    return folder


def snapshot(root: Path) -> dict[str, bytes]:
    """Every file of the site and the results."""
    folders = (root / "_build" / "html", root / "_build" / "results")
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def counts(output: str) -> tuple[int, int]:
    """Notebooks run and unchanged, from the last line of output."""
    run, unchanged = re.search(r"\((\d+) notebooks? run, (\d+) unchanged.*\)\n$", output).groups()
    return int(run), int(unchanged)


def assert_refused(root: Path, *arguments: str | Path) -> str:
    """The command fails with a message and no traceback, and the last good site stays."""
    before = snapshot(root)
    result = command(root, *arguments)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert snapshot(root) == before
    return result.stderr


# --- what runs again -----------------------------------------------------------------------------


def test_a_second_build_runs_nothing_even_in_another_place(small: Path) -> None:
    before = snapshot(small)
    result = command(small, "book")
    assert counts(result.stdout) == (0, 4)
    assert snapshot(small) == before


def test_a_commit_alone_runs_no_notebook_and_is_named(small: Path) -> None:
    git = ["git", "-c", "user.name=Nobody", "-c", "user.email=nobody@example.org"]
    for arguments in (["init"], ["add", "analysis"], ["commit", "--message", "All of it"]):
        subprocess.run([*git, *arguments], cwd=small, check=True, capture_output=True)
    page = small / "_build" / "html" / "bmt" / "count.html"
    assert "unknown" in page.read_text("utf-8")
    assert counts(command(small, "book").stdout) == (0, 4)
    assert provenance.commit(small) in page.read_text("utf-8")


def test_an_edited_notebook_is_the_only_one_to_run(small: Path) -> None:
    notebook = small / "book" / "count.ipynb"
    notebook.write_text(notebook.read_text("utf-8").replace("patients in", "people in"), "utf-8")
    result = command(small, "book", "--dataset", "data/blinatumomab")
    assert counts(result.stdout) == (1, 1)
    assert "people in" in (small / "_build" / "html" / "count.html").read_text("utf-8")


def test_an_edited_dataset_runs_all_of_its_notebooks(small: Path) -> None:
    table = small / "data" / "bmt" / "patients.csv"
    lines = table.read_text("utf-8").splitlines(keepends=True)
    table.write_text("".join(lines[:-1]), "utf-8")
    result = command(small, "book")
    assert counts(result.stdout) == (2, 2)
    count = (small / "_build" / "results" / "bmt" / "count.csv").read_text()
    assert count == f"n\n{len(lines) - 2}\n"


@pytest.mark.parametrize("name", ["analysis/dataset.py", "requirements.txt"])
def test_edited_helper_code_or_packages_run_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    root = copy_of_repository(tmp_path / "copy")
    before = build._code_digest()
    monkeypatch.setattr(build, "ROOT", root)
    assert build._code_digest() == before
    with (root / name).open("a") as file:
        file.write("# changed\n")
    assert build._code_digest() != before


def test_a_page_taken_out_of_the_contents_leaves_the_site(small: Path) -> None:
    toc = small / "book" / "_toc.yml"
    toc.write_text(toc.read_text().replace("- file: response\n", ""))
    (small / "book" / "index.md").write_text("# Small\n")
    assert command(small, "book", "--dataset", "data/blinatumomab").returncode == 0
    assert not (small / "_build" / "html" / "response.html").exists()
    assert not (small / "_build" / "results" / "response.csv").exists()


def test_a_dataset_that_a_notebook_names_counts_for_it(tmp_path: Path) -> None:
    write_notebook(tmp_path / "lesson.ipynb", "Lesson", 'load("data/myeloid")')
    assert build._datasets_named_in(tmp_path / "lesson.ipynb") == [ROOT / "data" / "myeloid"]


# --- parameters and other data -------------------------------------------------------------------


def test_a_parameter_reaches_the_notebooks_that_have_it(small: Path) -> None:
    result = command(small, "book", "--dataset", "data/bmt", "--parameter", "scale=10")
    assert result.returncode == 0, result.stderr
    assert (small / "_build" / "results" / "count.csv").read_text() == "n\n1370\n"


def test_an_unknown_parameter_is_refused(small: Path) -> None:
    error = assert_refused(small, "book", "--parameter", "scael=2")
    assert error == "--parameter scael: no notebook has it; there are: scale\n"


@pytest.fixture(scope="module")
def elsewhere(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small book of a dataset outside the repository that records deaths only."""
    folder = deaths_only(tmp_path_factory.mktemp("elsewhere") / "my data")
    out = folder.parent / "other out"
    result = command(built, "book", "--dataset", folder, "--out", out)
    assert result.returncode == 0, result.stderr
    return out


def test_a_page_says_what_a_dataset_does_not_record(elsewhere: Path) -> None:
    page = (elsewhere / "html" / "response.html").read_text("utf-8")
    note = re.search(r'<div class="admonition note">(.*?)</div>', page, re.DOTALL).group(1)
    assert "No &lt;b&gt;response&lt;/b&gt; &amp; *no* $x$ in these data." in note
    assert "raise NotRecorded" not in page
    assert {path.name for path in (elsewhere / "results").iterdir()} == {"count.csv"}


def test_no_path_of_the_machine_reaches_the_pages(built: Path, elsewhere: Path) -> None:
    page = (elsewhere / "html" / "count.html").read_text("utf-8")
    assert "137 patients in my data from ." in page
    for path in [*(elsewhere / "html").rglob("*"), *(elsewhere / "results").rglob("*")]:
        if path.is_file():
            text = path.read_bytes()
            assert not any(str(folder).encode() in text for folder in (built, elsewhere.parent))


def test_a_missing_dataset_is_refused_in_one_line(small: Path) -> None:
    error = assert_refused(small, "book", "--dataset", "data/nowhere")
    assert error.count("\n") == 1
    assert "data/nowhere" in error


# --- failures ------------------------------------------------------------------------------------


def test_a_failing_notebook_keeps_the_last_good_site(small: Path) -> None:
    write_notebook(small / "book" / "count.ipynb", "Count", "ratio = 1 / 0\nratio")
    error = assert_refused(small, "book", "--dataset", "data/bmt")
    assert error == (
        "count.ipynb on data/bmt: ZeroDivisionError: division by zero "
        "(in the cell “ratio = 1 / 0”)\n"
    )


def test_a_warning_of_sphinx_fails_and_keeps_the_last_good_site(small: Path) -> None:
    (small / "book" / "index.md").write_text("# Small\n\n{doc}`nowhere`\n\n$\\nosuchcommand$\n")
    error = assert_refused(small, "book", "--dataset", "data/bmt")
    assert "book/index.md:3: WARNING: unknown document: 'nowhere'" in error
    assert "formula not understood: \\nosuchcommand" in error


def test_two_builds_into_one_folder_are_kept_apart(small: Path) -> None:
    lock = sqlite3.connect(small / "_build" / ".lock", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    error = assert_refused(small, "book")
    lock.close()
    assert "another build" in error
    assert command(small, "book").returncode == 0


def test_somebody_elses_results_are_not_replaced(small: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine" / "results" / "thesis.docx"
    mine.parent.mkdir(parents=True)
    mine.write_text("years of work")
    error = assert_refused(small, "book", "--out", tmp_path / "mine")
    assert "thesis.docx" in error
    assert mine.read_text() == "years of work"


@pytest.mark.parametrize("moved", [["html"], ["html", "results"]])
def test_a_build_killed_in_the_exchange_is_undone(tmp_path: Path, moved: list[str]) -> None:
    for name in ("html", "results"):
        folder = tmp_path / "previous" if name in moved else tmp_path
        (folder / name).mkdir(parents=True)
        (folder / name / "page").write_text("old")
    (tmp_path / "html").mkdir(exist_ok=True)
    pages.recover(tmp_path)
    assert (tmp_path / "html" / "page").read_text() == "old"
    assert (tmp_path / "results" / "page").read_text() == "old"
    assert not (tmp_path / "previous").exists()


# --- the real book -------------------------------------------------------------------------------


def test_check_names_every_problem(tmp_path: Path) -> None:
    outside = deaths_only(tmp_path / "my data")
    good = command(ROOT, "check", outside)
    assert good.returncode == 0
    assert "137 patients" in good.stdout and "no problem found" in good.stdout
    table = outside / "patients.csv"
    rows = table.read_text("utf-8").splitlines()
    rows[3] = rows[3].rsplit(",", 1)[0] + ",maybe"
    rows[7] = rows[7].split(",")[0] + ",soon,no"
    table.write_text("\n".join(rows) + "\n", "utf-8")
    bad = command(ROOT, "check", outside)
    assert bad.returncode == 1
    assert "row 4, column died" in bad.stderr and '"maybe"' in bad.stderr
    assert "row 8, column last_contact_day" in bad.stderr and '"soon"' in bad.stderr


def test_no_path_of_the_machine_is_in_the_site(site: Path) -> None:
    for path in [*site.rglob("*"), *(site.parent / "results").rglob("*")]:
        if path.is_file():
            assert str(ROOT).encode() not in path.read_bytes(), path
