"""Many books on workers: one dies, one dataset is bad, and all others are as they should be.

Clusters are started where all tests are run; their parts are tested each day.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import ROOT, command
from distributed import KilledWorker
from test_build import of_the_build, small_book, write_notebook

from analysis.__main__ import main
from analysis.dataset.problems import DataError, Problem
from analysis.site import build, cluster, running, shelf
from analysis.site.pages import BuildError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

NAMES = [f"site {letter}" for letter in "abcdef"]
BAD, KILLER = NAMES[1], NAMES[2]
# The page of one dataset kills the worker that runs it, once: its kernel is a copy of the worker's.
KILL = """import csv, os, signal
from pathlib import Path
rows = list(csv.DictReader(open(Path(dataset, "patients.csv"), encoding="utf-8")))
once = Path({once!r})
if dataset.endswith({killer!r}) and not once.exists():
    once.touch()
    server = Path("/proc", str(os.getppid()), "stat").read_text().rpartition(")")[2].split()
    os.kill(int(server[1]), signal.SIGKILL)
    signal.pause()
Path(results_folder, "count.csv").write_text(f"n\\n{{scale * len(rows)}}\\n")"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small book and a folder of datasets beside it: one is bad, one's page is dangerous."""
    root = small_book(tmp_path_factory.mktemp("many") / "book")
    code = KILL.format(once=str(root.parent / "killed"), killer=KILLER)
    write_notebook(root / "book" / "count.ipynb", "Count", code)
    for number, name in enumerate(NAMES):
        folder = Path(shutil.copytree(ROOT / "data" / "bmt", root.parent / "sites" / name))
        lines = (folder / "patients.csv").read_text("utf-8").splitlines(keepends=True)
        (folder / "patients.csv").write_text("".join(lines[: len(lines) - number]), "utf-8")
    (root.parent / "sites" / "notes").mkdir()
    table = root.parent / "sites" / BAD / "patients.csv"
    head = table.read_text("utf-8").splitlines()[0]
    shutil.move(table, root.parent / "good.csv")
    table.write_text(f"{head}\n1{',soon' * head.count(',')}\n", "utf-8")
    return root


@pytest.fixture(scope="module")
def first(root: Path) -> subprocess.CompletedProcess[str]:
    """The first run, on processes of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STARTED_FOR", str(root))
        result = command(root, "books", root.parent / "sites", "--out", root.parent / "out")
    assert (root.parent / "killed").exists()  # or the dangerous page would wait in the next test
    return result


def left(mark: str) -> list[int]:
    """The processes that were started with a mark and do not end by themselves."""
    until = time.monotonic() + 5
    while (found := of_the_build(mark)) and time.monotonic() < until:
        time.sleep(0.1)
    return found


def results(root: Path) -> dict[str, str]:
    found = (root.parent / "out" / "results").glob("*/count.csv")
    return {path.parent.name: path.read_text() for path in found}


def counts(*left_out: str) -> dict[str, str]:
    """What is counted in each dataset, of which each has a patient fewer than the one before."""
    numbered = enumerate(NAMES)
    return {name: f"n\n{137 - number}\n" for number, name in numbered if name not in left_out}


@pytest.mark.wide
def test_a_worker_that_is_killed_and_a_bad_dataset_cost_no_other_book(root, first) -> None:
    assert (root.parent / "killed").exists()
    assert first.returncode == 1
    assert results(root) == counts(BAD)
    told = first.stderr.splitlines()
    assert len(told) == 1 and re.match(rf"\[\d/6\] {BAD} failed: patients\.csv, row 2", told[0])
    assert len(first.stdout.splitlines()) == 6
    assert f"{KILLER}: 135 patients" in first.stdout
    assert first.stdout.splitlines()[-1].startswith("5 books built, 1 failed; all are at ")


@pytest.mark.wide
def test_a_page_lists_the_books_and_each_leads_there(root, first) -> None:
    html = root.parent / "out" / "html"
    front = (html / "index.html").read_text("utf-8")
    links = re.findall(r'href="([^"]+/index\.html)"', front)
    assert links == [f"{name.replace(' ', '%20')}/index.html" for name in counts(BAD)]
    assert front.count(">13") == 5  # patients
    assert "above: ../index.html" in (html / NAMES[0] / "index.html").read_text("utf-8")
    assert {path.name for path in html.iterdir() if path.is_dir()} == set(counts(BAD))


@pytest.mark.wide
def test_nothing_goes_on_running(root, first) -> None:
    assert left(f"STARTED_FOR={root}") == []


@contextmanager
def scheduler(root: Path, folder: Path) -> Iterator[str]:
    """A scheduler and a worker that were started by others in `root`; gives the address."""
    file = folder / "scheduler.json"
    program = [sys.executable, "-m", "distributed.cli"]
    environment = os.environ | {"PYTHONPATH": str(root), "TMPDIR": str(folder)}
    options = ("--host", "127.0.0.1", "--no-dashboard")
    commands = (
        ("dask_scheduler", "--port", "0", "--scheduler-file", file, *options),
        ("dask_worker", "--scheduler-file", file, "--nthreads", "1", "--no-nanny", *options),
    )
    started = []
    try:
        for module, *given in commands:
            line = [*program[:2], f"{program[2]}.{module}", *given]
            started.append(
                subprocess.Popen(line, cwd=root, env=environment, stderr=subprocess.DEVNULL)
            )
            while not file.exists():
                assert started[0].poll() is None
                time.sleep(0.1)
        yield json.loads(file.read_text())["address"]
    finally:
        for process in reversed(started):  # a worker takes its leave of the scheduler
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:  # it was told while it was still starting
                process.kill()
                process.wait()


def servers(mark: str) -> list[int]:
    """The processes that kernels are copied from."""
    of = (number for number in of_the_build(mark))
    return [n for n in of if b"import serve" in Path("/proc", str(n), "cmdline").read_bytes()]


@pytest.mark.wide
def test_a_scheduler_that_runs_builds_what_was_mended(
    root, first, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its workers stay, without what the run started there; the cache keeps what is of use only."""
    shutil.copy(root.parent / "good.csv", root.parent / "sites" / BAD / "patients.csv")
    mark = f"STARTED_FOR={tmp_path}"
    monkeypatch.setenv(*mark.split("="))
    with scheduler(root, tmp_path) as address:
        sites = root.parent / "sites"
        given = [sites / NAMES[0], sites, "--out", root.parent / "out", "--scheduler", address]
        result = command(root, "books", *given)
        assert len(of_the_build(mark)) >= 2 and servers(mark) == []
    assert (result.returncode, result.stderr) == (0, "")
    assert results(root) == counts()
    cache = root.parent / "out" / "cache"
    assert all(re.fullmatch("[0-9a-f]{32}", path.name) for path in cache.iterdir())
    assert left(mark) == []


def test_a_scheduler_without_the_code_is_told_in_a_line(
    tmp_path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As one that was started elsewhere without PYTHONPATH."""
    with scheduler(tmp_path, tmp_path) as address:
        given = ["--scheduler", address, "--out", str(tmp_path / "out")]
        assert main(["books", str(ROOT / "data" / "bmt"), *given]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"{address}: cannot load the code of the book (ModuleNotFoundError: ")
    assert "PYTHONPATH" in said and said.count("\n") == 1


def test_a_scheduler_that_does_not_answer_is_told_in_a_line(
    tmp_path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cluster, "ANSWER", 1)
    given = ["--scheduler", "tcp://127.0.0.1:9", "--out", str(tmp_path / "out")]
    assert main(["books", str(ROOT / "data" / "bmt"), *given]) == 1
    said = capsys.readouterr().err
    assert (
        said.startswith("tcp://127.0.0.1:9: no scheduler answers there") and said.count("\n") == 1
    )


# --- the parts -----------------------------------------------------------------------------------


def test_of_two_that_make_the_same_the_first_to_end_stands(tmp_path) -> None:
    """Also where the other was thought dead, and ends later."""
    place = tmp_path / "key"

    def slow(folder: Path) -> None:
        (folder / "by").write_text("the slow one")
        running.once(place, lambda other: (other / "by").write_text("the quick one"))

    running.once(place, slow)
    assert (place / "by").read_text() == "the quick one"
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_book_that_failed_stays_as_it_was(tmp_path) -> None:
    def made(name: str) -> tuple[build.Book, build.Made]:
        folder = tmp_path / "cache" / ("0" * 31 + name)
        for part in ("html", "results"):
            (folder / part).mkdir(parents=True, exist_ok=True)
            (folder / part / "index.csv").write_text(name)
        pages, found = {name: folder / "html"}, {name: [folder / "results"]}
        return build.Book(name, tmp_path, f"<{name}>", 1200), build.Made(
            pages, found, {folder}, 1, 1
        )

    shelf._shelve({name: made(name) for name in "12"}, "12", tmp_path)
    shelf._shelve({"1": made("1")}, "123", tmp_path)
    assert (tmp_path / "html" / "2" / "index.csv").read_text() == "2"
    assert (tmp_path / "results" / "2" / "index.csv").read_text() == "2"
    front = (tmp_path / "html" / "index.html").read_text("utf-8")
    assert front.count("Of an earlier run") == 1 and "&lt;2&gt;" in front and "1,200" in front
    assert front.count("could not be made") == 1  # the third, which has never been there
    shelf._shelve({"1": made("1")}, "1", tmp_path)
    assert not (tmp_path / "html" / "2").exists()
    assert {path.name[-1] for path in (tmp_path / "cache").iterdir()} == {"1"}


def test_a_worker_starts_another_process_to_copy_where_one_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And ends it where it finds itself with nothing to do, twice."""
    started = []

    class Server:
        ended = False

        def __enter__(self) -> Server:
            started.append(self)
            return self

        def __exit__(self, *_: object) -> None:
            self.ended = True

        def keep(self, folder: Path) -> None:
            self.kept = folder

    async def day() -> None:
        warm, worker = (
            cluster.Warm(helping=False),
            SimpleNamespace(state=SimpleNamespace(tasks={"a": 1})),
        )
        warm.setup(worker)
        for name in "ab":
            assert warm.manager(Path(name)).server is started[0]
        assert started[0].kept == Path("b")
        started[0].ended = True
        assert warm.manager(Path("a")).server is started[1]
        warm._rest()
        worker.state.tasks.clear()
        warm._rest()
        assert not started[1].ended
        warm._rest()
        assert started[1].ended
        assert warm.manager(Path("a")).server is started[2]
        warm.teardown(worker)
        assert started[2].ended

    monkeypatch.setattr(cluster, "Server", Server)
    with ThreadPoolExecutor(1) as pool:  # a browser's loop may be running in this thread
        pool.submit(asyncio.run, day()).result()


def test_what_waited_where_another_book_killed_the_workers_is_tried_by_itself() -> None:
    tried = []

    def one(place: int, name: str) -> str:
        tried.append(name)
        if name == "kills" or (name == "waited" and tried.count(name) == 1):
            raise KilledWorker(name, None, 3)
        return name

    said = {name: future for name, future in shelf._each(one, ["kills", "waited", "well"])}
    assert [name for name in said if not said[name].exception()] == ["well", "waited"]
    assert "short of memory" in shelf._reason(said["kills"].exception())


def test_two_books_of_one_name_are_refused(tmp_path) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "x").mkdir(parents=True)
        (tmp_path / name / "x" / "datapackage.json").write_text("{}")
    assert list(shelf._by_name([tmp_path / "a", tmp_path / "a" / "x"])) == ["x"]
    with pytest.raises(BuildError, match="have the same name"):
        shelf._by_name([tmp_path / "a", tmp_path / "b"])


def test_a_reason_is_one_line() -> None:
    error = DataError([Problem("patients.csv", 2, "died", '"x"', "yes"), "another line"])
    kind, given = error.__reduce__()
    assert kind(*given).problems == error.problems
    assert shelf._reason(error) == f"{error.problems[0]} (and 1 more)"
    assert shelf._reason(KeyError("a")) == "KeyError: 'a'"


def test_one_book_loads_no_dask() -> None:
    code = "import sys, analysis.__main__, analysis.site.stored; print('dask' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert said.stdout == "False\n"
