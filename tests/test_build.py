"""The build: what runs again and what does not, and what a failure leaves behind.

Most tests use a small book of two notebooks on two of the shipped datasets, in a copy of the
repository. Sphinx makes its pages where these are what is tested; else each page is its source.
The last test uses the real book.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT, command, copy_of_repository

from analysis.__main__ import _plain, main
from analysis.page import contents, provenance
from analysis.sharing import manuscript
from analysis.site import build, pages, processes, rendering, running
from analysis.site.notebooks import METADATA, NOT_RECORDED, _ended_at_error

PARAMETERS = 'dataset = "data/blinatumomab"\nresults_folder = "_build/results"\nscale = 1'
COUNT = """import csv, os
from pathlib import Path
rows = list(csv.DictReader(open(Path(dataset, "patients.csv"), encoding="utf-8")))
Path(results_folder, "count.csv").write_text(f"n\\n{scale * len(rows)}\\n")
print(len(rows), "patients in", os.path.abspath(dataset), "from", os.getcwd())"""
RESPONSE = """import csv
from pathlib import Path
from analysis.dataset.model import NotRecorded
columns = csv.DictReader(open(Path(dataset, "patients.csv"), encoding="utf-8")).fieldnames
if "response_day" not in columns:
    raise NotRecorded("No <b>response</b> & *no* $x$ in these data.")
Path(results_folder, "response.csv").write_text("n\\n1\\n")
print("response is recorded")"""

# What the copy imports in the place of Sphinx, until it is taken away: a page for each source.
IN_PLACE_OF_SPHINX = """import sys
from pathlib import Path
def main():
    _, _, stage, _, out, *_ = sys.argv
    html = Path(out, "_build", "html")
    html.mkdir(parents=True, exist_ok=True)
    told = Path(stage, "_config.yml").read_text("utf-8")
    for page in (path for path in Path(stage).iterdir() if path.suffix in (".md", ".ipynb")):
        said = page.read_text("utf-8") + told
        (html / page.name).with_suffix(".html").write_text("<pre>" + said, "utf-8")"""


def write_notebook(path: Path, title: str, code: str) -> None:
    cells = [
        nbformat.v4.new_markdown_cell(f"# {title}", id="title"),
        nbformat.v4.new_code_cell(PARAMETERS, id="parameters", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(code, id="code"),
        nbformat.v4.new_markdown_cell(f"[numbers](results/{path.stem}.csv)", id="link"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=METADATA), path)


def small_book(place: Path) -> Path:
    """A copy of the repository with the small book, which is made without Sphinx."""
    root = copy_of_repository(place)
    for path in (root / "book").iterdir():
        if path.is_file():
            path.unlink()
    for name in build.SHELF[2:]:  # of two datasets
        shutil.rmtree(root / "data" / name)
    toc = "format: jb-book\nroot: index\nchapters:\n- file: count\n- file: response\n"
    (root / "book" / "_toc.yml").write_text(toc)
    (root / "book" / "index.md").write_text("# Small\n\n{doc}`count`, then {doc}`response`.\n")
    cited = "@misc{topp2021,\n}\n"  # by the paper's cohort
    (root / "book" / "references.bib").write_text(cited)
    write_notebook(root / "book" / "count.ipynb", "Count", COUNT)
    write_notebook(root / "book" / "response.ipynb", "Response", RESPONSE)
    program = root / "jupyter_book" / "cli" / "main.py"
    for package in (program.parent, program.parents[1]):
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").touch()
    program.write_text(IN_PLACE_OF_SPHINX)
    return root


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small book, built; in a folder with a space."""
    root = small_book(tmp_path_factory.mktemp("small") / "a book")
    result = command(root, "book")
    assert result.returncode == 0, result.stderr
    assert result.stdout.endswith("index.html (4 notebooks run, 0 unchanged, over 2 datasets)\n")
    return root


@pytest.fixture
def small(built: Path, tmp_path: Path) -> Path:
    """The small book in a place of its own, with the cache of the first build."""
    return Path(shutil.copytree(built, tmp_path / "moved here"))


def with_sphinx(root: Path) -> Path:
    """The same place, where Sphinx makes the pages."""
    shutil.rmtree(root / "jupyter_book")
    return root


def deaths_only(folder: Path) -> Path:
    """Write a dataset that records deaths and nothing else."""
    package = json.loads((ROOT / "data" / "bmt" / "datapackage.json").read_text("utf-8"))
    kept = ["patient_id", "last_contact_day", "died"]
    fields = package["resources"][0]["schema"]["fields"]
    package["resources"][0]["schema"]["fields"] = [f for f in fields if f["name"] in kept]
    package["analysis"] = {"time_origin": "transplant"}
    package["title"] = "Deaths & nothing else"
    folder.mkdir(parents=True)
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
    """Kept apart from one that writes into the same folder, until that has ended."""
    before = snapshot(small)
    lock = sqlite3.connect(small / "_build" / ".lock", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    error = assert_refused(small, "book")
    lock.close()
    assert "another build" in error
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


@pytest.mark.parametrize("name", ["analysis/dataset/model.py", "requirements.txt"])
def test_edited_helper_code_or_packages_run_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    root = copy_of_repository(tmp_path / "copy")
    before = build.code_digest()
    monkeypatch.setattr(build, "ROOT", root)
    assert build.code_digest() == before
    with (root / name).open("a") as file:
        file.write("# changed\n")
    assert build.code_digest() != before


@pytest.mark.parametrize("name", ["strobe.yaml", "facts.yaml", "report.jinja", "figure_1a.ipynb"])
def test_an_edited_text_runs_the_pages_of_sharing_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """So does the title of a page, by which they call it."""
    book = Path(shutil.copytree(ROOT / "book", tmp_path / "book"))
    for module in (build, contents):
        monkeypatch.setattr(module, "BOOK", book)
    whose = build.Book("", build.PAPER)

    def keys() -> dict[str, str]:
        pages = ("strobe", "remark", "report", "table_1")
        files = [book / f"{page}.ipynb" for page in pages]
        places = (contents.Place(path.stem, path, "") for path in files)
        plans = (
            build._plan(whose, place, dict.fromkeys(files, {}), tmp_path, "") for place in places
        )
        return {plan.page.name: plan.place.name for plan in plans}

    before = keys()
    text = (book / name).read_text("utf-8")
    edited = text.replace("# Figure 1A.", "# Figure 1.") if "figure" in name else text + "# more\n"
    assert edited != text
    (book / name).write_text(edited, "utf-8")
    assert {page for page, key in keys().items() if key != before[page]} == {
        *("strobe", "remark", "report"),
    }


def test_another_version_of_what_computes_runs_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all that the foot of a page and the Report name."""
    before = build.code_digest()
    named = {*provenance.SHOWN, *manuscript.PROGRAMS}
    for name in sorted(named):
        with monkeypatch.context() as patch:
            patch.setattr(build, "version", lambda asked, x=name: "9.9.9" if asked == x else "1")
            changed = build.code_digest()
            patch.setattr(build, "version", lambda asked: "1")
            assert build.code_digest() != changed, name
    assert build.code_digest() == before


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


def test_a_lesson_runs_again_when_its_quiz_or_its_worked_piece_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """These are read by the code, and are none of it."""
    for name, path in (("QUIZZES", "quiz.yaml"), ("FROZEN", "worked.csv"), ("SCRIPTS", "worked")):
        monkeypatch.setattr(build, name, tmp_path / path)
    monkeypatch.setattr(build, "BOOK", tmp_path)
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build, "REFERENCE", tmp_path / "tests")
    (tmp_path / "worked").mkdir()
    files = ["quiz.yaml", "worked.csv", "worked/lesson_01.py", "worked/lesson_01.R"]
    for name in [*files, "worked/lesson_02.py"]:
        (tmp_path / name).write_text("1", "utf-8")
    code = "course.quiz(1)\ncourse.worked(page, 1, keys.names(data))"
    before = list(build._read_by(code))
    assert len(before) == 2 and not list(build._read_by("page.record(rows)"))
    for name in files:
        (tmp_path / name).write_text("2", "utf-8")
        now = list(build._read_by(code))
        assert now != before, name
        before = now
    (tmp_path / "worked/lesson_02.py").write_text("2", "utf-8")
    assert list(build._read_by(code)) == before


# --- parameters and other data -------------------------------------------------------------------


def test_an_unknown_parameter_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run_here("book", "--dataset", "data/bmt", "--out", out, "--parameter", "sede=2") == 1
    error = capsys.readouterr().err
    assert error.startswith("--parameter sede: no notebook has it; there are: ")
    assert error.count("\n") == 1 and "seed" in error
    assert not out.exists()


@pytest.mark.parametrize(
    ("given", "least"),
    [("draws=0", 1), ("draws=-5", 1), ("resamples=2.5", 1), ("resamples=true", 1)]
    + [("seed=abc", 0), ("seed=-1", 0), ("seed=", 0), ("draws=[1]", 1)],
)
def test_a_parameter_that_no_run_can_use_is_refused_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: str, least: int
) -> None:
    out = tmp_path / "out"
    assert run_here("book", "--dataset", "data/bmt", "--out", out, "--parameter", given) == 1
    name = given.partition("=")[0]
    error = capsys.readouterr().err
    assert error.startswith(f"--parameter {name}: found ") and error.count("\n") == 1
    assert error.endswith(f", expected a whole number, {least} or more\n")
    assert not out.exists()


@pytest.fixture(scope="module")
def elsewhere(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small book of a dataset outside that records deaths only, with another parameter."""
    base = tmp_path_factory.mktemp("elsewhere")
    folder = deaths_only(base / "of José" / 'my {"data"}')
    out = folder.parent / "{other} out, 100%"
    root = with_sphinx(Path(shutil.copytree(built, base / "a book")))
    result = command(root, "book", "--dataset", folder, "--out", out, "--parameter", "scale=10")
    assert result.returncode == 0, result.stderr
    return out


def test_a_parameter_reaches_the_notebooks_that_have_it(elsewhere: Path) -> None:
    assert (elsewhere / "results" / "count.csv").read_text() == "n\n1370\n"


def test_a_page_that_a_dataset_cannot_fill_is_not_in_its_book(elsewhere: Path) -> None:
    """Nor a link to it, nor its place in the contents."""
    pages = {path.name: path.read_text("utf-8") for path in (elsewhere / "html").glob("*.html")}
    assert "count.html" in pages and "response.html" not in pages
    assert not any("response.html" in text for text in pages.values())
    assert "then response." in re.sub(r"<[^>]+>", "", pages["index.html"])
    assert {path.name for path in (elsewhere / "results").iterdir()} == {"count.csv"}


def test_what_is_not_recorded_is_said_as_text(built: Path) -> None:
    """The sentence ends the page, as its first one that is kept whatever the dataset has."""
    notebook = nbformat.read(built / "book" / "response.ipynb", as_version=4)
    notebook.cells[2].outputs = [nbformat.v4.new_output("error", ename="x", evalue="y")]
    made = _ended_at_error(notebook, "No <b>response</b> & *no* $x$ in these data.")
    assert [cell.id for cell in made.cells] == ["title", "parameters", NOT_RECORDED]
    said = r"No \<b\>response\<\/b\> \& \*no\* \$x\$ in these data\."
    assert made.cells[-1].source == f":::{{note}}\n{said}\n:::"


def test_no_path_of_the_machine_reaches_the_pages(elsewhere: Path) -> None:
    page = (elsewhere / "html" / "count.html").read_text("utf-8")
    assert '137 patients in my {"data"} from .' in page
    for path in [*(elsewhere / "html").rglob("*"), *(elsewhere / "results").rglob("*")]:
        if path.is_file():
            assert elsewhere.parents[1].name.encode() not in path.read_bytes()  # and of its copy


def test_a_missing_dataset_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here("book", "--dataset", "data/nowhere", "--out", tmp_path / "out") == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "data/nowhere" in error
    assert not (tmp_path / "out").exists()


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
    error = assert_refused(with_sphinx(small), "book", "--dataset", "data/bmt")
    assert "book/index.md:3: WARNING: unknown document: 'nowhere'" in error
    assert "formula not understood: \\nosuchcommand" in error


def workshop_of(root: Path) -> Path:
    (whole,) = (root / "_build" / "cache").glob(f"*/{rendering.WHOLE}")
    return whole.parent


def pages_of(root: Path) -> dict[str, bytes]:
    html = root / "_build" / "html"
    return {path.name: path.read_bytes() for path in html.glob("*") if path.is_file()}


def test_sphinx_makes_again_what_changed_and_all_is_as_if_made_from_nothing(small: Path) -> None:
    """Where a page changed what others take from it, or a build was interrupted, all is made."""
    root, path = with_sphinx(small), small / "book" / "count.ipynb"

    def made(title: str, code: str) -> tuple[Path, set[str]]:
        """The workshop after a build of the changed page, and the pages that Sphinx wrote."""
        begun = time.time_ns()
        write_notebook(path, title, code)
        assert command(root, "book", "--dataset", "data/blinatumomab").returncode == 0
        workshop = workshop_of(root)
        html = (workshop / "_build" / "html").glob("*.html")
        return workshop, {page.stem for page in html if page.stat().st_mtime_ns > begun}

    first, _ = made("Count", COUNT)
    second, written = made("Count", COUNT + "\nprint('more')")
    assert second == first
    assert "count" in written and "response" not in written
    by_parts = pages_of(root)
    assert b"more" in by_parts["count.html"]
    assert b"Response" in by_parts["searchindex.js"]
    third, written = made("Number", COUNT)
    assert third != first and not first.exists()
    assert {"count", "response", "index"} <= written
    (third / rendering.WHOLE).unlink()
    (third / "_build" / "html" / "response.html").write_text("cut off here")
    _, written = made("Number", COUNT + "\nprint('more')")
    assert "response" in written and b"cut off" not in pages_of(root)["response.html"]
    shutil.rmtree(root / "_build")
    made("Count", COUNT + "\nprint('more')")
    assert pages_of(root) == by_parts


@pytest.mark.parametrize("folder", ["results", "previous"])
def test_somebody_elses_work_is_not_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: str
) -> None:
    mine = tmp_path / folder / "thesis.docx"
    mine.parent.mkdir()
    mine.write_text("years of work")
    assert run_here("book", "--dataset", "data/bmt", "--out", tmp_path) == 1
    error = capsys.readouterr().err
    assert error.startswith(str(mine)) and error.count("\n") == 1
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


class Killed(BaseException):
    """What stands for the end of the process: nothing handles it."""


def ends_at_call(monkeypatch: pytest.MonkeyPatch, last: int) -> None:
    """Let the process end, in place of its call number `last` that changes a file or a folder."""
    calls = 0

    def counted(change: Callable) -> Callable:
        def instead(*given: object, **options: object) -> object:
            nonlocal calls
            calls += 1
            if calls >= last:
                raise Killed
            return change(*given, **options)

        return instead

    for name in ("mkdir", "rename", "touch", "write_text"):
        monkeypatch.setattr(Path, name, counted(getattr(Path, name)))
    for name in ("copytree", "rmtree"):
        monkeypatch.setattr(shutil, name, counted(getattr(shutil, name)))


def made(place: Path, said: str) -> Path:
    """A complete folder of the cache."""

    def write(folder: Path) -> None:
        for name in pages.SWAPPED:
            (folder / name).mkdir()
            (folder / name / "page.csv").write_text(said)

    return running.once(place, write)


def test_a_build_killed_at_any_change_leaves_a_whole_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the first folder of the cache to the last rename of the exchange, one after another."""

    def whole_site(said: str) -> None:
        pages.require_ours(tmp_path)
        pages.recover(tmp_path)
        done = made(tmp_path / "cache" / said, said)
        pages.publish({"": done / "html"}, {"": [done / "results"]}, tmp_path)

    def shown() -> set[str]:
        pages.require_ours(tmp_path)
        pages.recover(tmp_path)
        return {(tmp_path / name / "page.csv").read_text() for name in pages.SWAPPED}

    whole_site("old")
    kills = 0
    while True:
        with monkeypatch.context() as patch:
            ends_at_call(patch, kills + 1)
            try:
                whole_site("new")
                break
            except Killed:
                kills += 1
        assert shown() in ({"old"}, {"new"})
        whole_site("old")
        shutil.rmtree(tmp_path / "cache" / "new", ignore_errors=True)
    assert kills > 15
    assert shown() == {"new"}
    assert {path.name for path in tmp_path.iterdir()} == {"cache", *pages.SWAPPED}


def of_the_build(mark: str) -> list[int]:
    """Processes that were started with `mark` in their environment, or by such."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("stopped", ["the build", "its parent"])
def test_no_process_outlives_a_build_that_is_stopped(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: str
) -> None:
    """SIGTERM to the build, or SIGKILL to what started it, while copies of its server run cells."""
    before = snapshot(small)
    running = tmp_path / "running"
    cell = f"import time\nopen({str(running)!r}, 'w').close()\ntime.sleep(600)"
    write_notebook(small / "book" / "count.ipynb", "Count", cell)
    (tmp_path / "temporary").mkdir()
    mark = f"STARTED_FOR={tmp_path}"
    monkeypatch.setenv(*mark.split("="))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr(processes, "LONGEST", 200)
    command_line = [sys.executable, "-m", "analysis", "book"]
    if stopped == "its parent":
        command_line = ["sh", "-c", '"$@"; exit', "sh", *command_line]
    # What `nohup` starts would go on without its parent.
    heard = partial(signal.signal, signal.SIGHUP, signal.SIG_DFL)
    started = subprocess.Popen(command_line, cwd=small, stderr=subprocess.PIPE, preexec_fn=heard)
    try:
        while not running.exists():
            assert started.poll() is None, started.stderr.read()
            time.sleep(0.1)
        assert len(of_the_build(mark)) >= 3  # the build, its server and a kernel
        started.send_signal(signal.SIGTERM if stopped == "the build" else signal.SIGKILL)
        until = time.monotonic() + 5
        while (left := of_the_build(mark)) and time.monotonic() < until:
            time.sleep(0.1)
        assert left == []
    finally:
        for number in of_the_build(mark):
            os.kill(number, signal.SIGKILL)
    assert started.wait() == (143 if stopped == "the build" else -signal.SIGKILL)
    assert started.stderr.read() == b"interrupted; the last good book is unchanged\n"
    assert list((tmp_path / "temporary").iterdir()) == []
    assert snapshot(small) == before


# --- places, consoles, arguments -----------------------------------------------------------------


def run_here(*arguments: str | Path) -> int:
    return main([str(argument) for argument in arguments])


@pytest.mark.parametrize(
    "within", ["book", "book/_build", "analysis/x", "data/bmt", "tests", ".git", ".", ".."]
)
def test_a_folder_of_the_repository_is_no_place_to_build_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], within: str
) -> None:
    (tmp_path / "link").symlink_to(ROOT)
    assert run_here("book", "--dataset", "data/bmt", "--out", tmp_path / "link" / within) == 1
    error = capsys.readouterr().err
    assert "choose another place" in error and error.count("\n") == 1
    assert not (ROOT / within / ".lock").exists()


def test_a_folder_of_the_repository_that_is_a_link_is_no_place_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "repository").mkdir()
    (tmp_path / "repository" / ".venv").symlink_to(tmp_path / "shared")
    monkeypatch.setattr(build, "ROOT", tmp_path / "repository")
    build.require_place(tmp_path / "other")
    with pytest.raises(pages.BuildError, match="within the folder .venv of the book"):
        build.require_place((tmp_path / "repository" / ".venv" / "out").resolve())


def test_the_folder_of_a_dataset_is_no_place_to_build_in(tmp_path: Path) -> None:
    own = Path(shutil.copytree(ROOT / "data" / "bmt", tmp_path / "bmt"))
    with pytest.raises(pages.BuildError, match="a dataset stands there"):
        build.build(own, own, {})
    assert not (own / "cache").exists()
    build.require_place(own / "book")


def test_what_a_killed_build_leaves_in_the_temporary_folder_goes_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_short_folder", lambda: str(tmp_path))
    killed, other = tmp_path / f"{processes.PREFIX}killed", tmp_path / f"{processes.PREFIX}other"
    for folder in (killed, other):
        folder.mkdir()
        (folder / "file").touch()
    (killed / processes.LOCK).touch()
    code = (
        "import sys; from pathlib import Path; from analysis.site import processes as p\n"
        "with p.held(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    running = tmp_path / f"{processes.PREFIX}running"
    running.mkdir()
    held = [sys.executable, "-c", code, running / processes.LOCK]
    with subprocess.Popen(held, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as one:
        assert one.stdout.readline() == b"held\n"
        with processes.building():
            assert not killed.exists()
            assert running.exists() and other.exists()  # of a build that runs, and of another's
        one.kill()
    with processes.building():
        assert not running.exists()


def test_another_copy_of_the_repository_is_no_place_to_build_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "_toc.yml").write_text("")
    assert run_here("book", "--dataset", "data/bmt", "--out", tmp_path) == 1
    assert (
        capsys.readouterr().err
        == f"{tmp_path}: holds the sources of the book; choose another place\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["book"]


@pytest.mark.parametrize("command", ["book", "new", "import"])
@pytest.mark.parametrize("place", ["", "x", "x/y"])
def test_a_file_where_a_folder_is_expected_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, place: str
) -> None:
    (tmp_path / "file").write_text("")
    arguments = {"book": ("--dataset", "data/bmt", "--out"), "import": ("data/bmt/patients.csv",)}
    assert run_here(command, *arguments.get(command, ()), tmp_path / "file" / place) == 1
    said = f"{tmp_path / 'file'}: found a file, expected a folder or nothing\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied", "/away/x"), "/away/x: permission denied"),
        (OSError(30, "Read-only file system", "/away/x"), "/away/x: read-only file system"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError("a word of a library"), "a word of a library"),
    ],
)
def test_what_the_system_says_of_a_path_is_one_plain_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: OSError, words: str
) -> None:
    def refused(*_: object) -> None:
        raise error

    monkeypatch.setattr("analysis.__main__.new", refused)
    assert run_here("new", "x") == 1
    assert capsys.readouterr().err == f"{words}\n"


@pytest.mark.parametrize("kind", ["a file", "a lock that cannot be made"])
def test_a_place_that_cannot_be_used_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    out = tmp_path / "out"
    if kind == "a file":
        out.write_text("")
    else:
        (out / ".lock").mkdir(parents=True)
    assert run_here("book", "--dataset", "data/bmt", "--out", out) == 1
    error = capsys.readouterr().err
    assert str(out) in error and error.count("\n") == 1


def test_what_was_built_among_the_sources_is_no_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("index.md", "_static/a.css", "any/.lock", "any/cache/page.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    monkeypatch.setattr(pages, "BOOK", tmp_path)
    found = [path.relative_to(tmp_path).as_posix() for path in pages.sources()]
    assert found == ["_static/a.css", "index.md"]


def test_only_what_a_build_made_leaves_the_cache(tmp_path: Path) -> None:
    key = "0" * 32
    for name in (key, f"{key}.0a.new", "1" * 32, "my own"):
        (tmp_path / name).mkdir()
    build.prune(tmp_path, {tmp_path / ("1" * 32)})
    assert {path.name for path in tmp_path.iterdir()} == {"1" * 32, "my own"}


def test_a_build_has_a_short_temporary_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    before = dict(os.environ)
    with processes.building():
        folder = os.environ["TMPDIR"]
        assert len(folder) < processes.LONGEST and os.listdir(folder) == [processes.LOCK]
        assert os.environ["IPYTHONDIR"] == os.environ["JUPYTER_RUNTIME_DIR"] == folder
    assert not os.path.exists(folder)
    assert dict(os.environ) == before


NAMELESS = """import os, pwd, runpy, sys
os.environ.pop("HOME")
def getpwuid(number): raise KeyError(number)
pwd.getpwuid = getpwuid
sys.argv[0] = "-m"
runpy.run_module("analysis", run_name="__main__", alter_sys=True)"""


def test_check_needs_neither_a_home_nor_signs_beyond_ascii(tmp_path: Path) -> None:
    folder = deaths_only(tmp_path / "données")
    package = (folder / "datapackage.json").read_text("utf-8")
    title = "Deaths & nothing else"
    (folder / "datapackage.json").write_text(package.replace(title, "“≥” – 日"), "utf-8")
    result = subprocess.run(
        [sys.executable, "-c", NAMELESS, "check", folder],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert '">=" - \\u65e5' in result.stdout and "donn\\xe9es" in result.stdout


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp932", "cp949", "cp850"])
def test_every_sign_has_a_form_on_every_console(encoding: str) -> None:
    for number in (*range(0x20, 0x3000), 0xD800, 0x1F600):
        text, end = _plain(UnicodeEncodeError(encoding, f"a{chr(number)}", 1, 2, ""))
        assert text.encode(encoding) and end == 2


def test_a_reader_may_leave_early() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    program = [sys.executable, "-m", "analysis", "check", "data/bmt"]
    result = subprocess.run(program, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (result.returncode, result.stderr) == (141, b"")


@pytest.mark.parametrize(
    "arguments",
    [
        *([], ["bok"], ["book", "--datset", "x"], ["book", "--data", "x"], ["book", "--out"]),
        *(["book", "--out", ""], ["book", "--out", "a\nb"], ["check", "a\x1b[31m"]),
        *(["book", "--parameter", text] for text in ("scale", "=1", "a=[", "a=&a [*a]")),
    ],
)
def test_garbled_arguments_are_a_line_with_the_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    usage, _, error = capsys.readouterr().err.rstrip("\n").rpartition("\n")
    assert usage.startswith("usage: ") and "error: " in error


# --- the real book -------------------------------------------------------------------------------


def test_check_names_every_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outside = deaths_only(tmp_path / "my data")
    assert run_here("check", outside) == 0
    good = capsys.readouterr().out
    assert "137 patients" in good and "no problem found" in good
    table = outside / "patients.csv"
    rows = table.read_text("utf-8").splitlines()
    rows[3] = rows[3].rsplit(",", 1)[0] + ",maybe"
    rows[7] = rows[7].split(",")[0] + ",soon,no"
    table.write_text("\n".join(rows) + "\n", "utf-8")
    assert run_here("check", outside) == 1
    bad = capsys.readouterr().err
    assert "row 4, column died" in bad and '"maybe"' in bad
    assert "row 8, column last_contact_day" in bad and '"soon"' in bad


def test_no_path_of_the_machine_is_in_the_site(site: Path) -> None:
    for path in [*site.rglob("*"), *(site.parent / "results").rglob("*")]:
        if path.is_file():
            assert str(ROOT).encode() not in path.read_bytes(), path
