"""Fixtures for the tests of the site: the built book, a browser, small books to break."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from altair.utils import schemapi
from xdist.scheduler import LoadScopeScheduling

from analysis.dataset.model import keep
from analysis.site.browser import chromium, installed_browser

ROOT = Path(__file__).resolve().parent.parent
# Trees of whole sites are millions of objects that stay: to look through them for what may go, each
# time that 700 have come, takes as long as to read the pages.
gc.set_threshold(100_000)
AXE = "4.14.1"  # of axe-core, which checks pages for accessibility

# The files that take longest, the longest first: what begins last should be short, or one core
# waits for the other.
LONGEST = [
    *("test_site", "test_privacy", "test_build", "test_any_study", "test_checklists"),
    *("test_pdf", "test_downloads", "test_cohort", "test_alternatives", "test_degrading"),
    *("test_properties", "test_import", "test_beyond_follow_up", "test_consistency"),
]
# Long tests that any process may run, whatever the others of their file.
ALONE = {"test_every_page_works", "test_a_broken_estimator_differs_from_r"}


class ByFile(LoadScopeScheduling):
    """Keeps the tests of a file in one process, where they share what they build."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        return nodeid if test.partition("[")[0] in ALONE else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Replace xdist's groups by mark, which pytest 9.2 does not see."""
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files."""
    ranks = {stem: rank for rank, stem in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path.stem, len(ranks)))


def command(root: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `python -m analysis …` as a user would in the repository `root`."""
    environment = {name: os.environ[name] for name in os.environ if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-m", "analysis", *arguments],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=540,
    )


def copy_of_repository(target: Path) -> Path:
    """What a build reads, without what one has made."""
    left_out = shutil.ignore_patterns("_build", ".*", "__pycache__", "tests")
    return Path(shutil.copytree(ROOT, target, ignore=left_out))


class OneTable(schemapi._FromDict):
    """Altair's table of its classes by schema, made once: a tenth of the time of all pages.

    Altair makes it anew, the same each time, for each channel of each chart.
    """

    made: dict[tuple, Any] = {}

    def __init__(self, classes: Iterable[type], /) -> None:
        key = tuple(classes)
        if key not in self.made:
            super().__init__(key)
            self.made[key] = self.class_dict
        self.class_dict = self.made[key]


@pytest.fixture(scope="session", autouse=True)
def one_table() -> Iterator[None]:
    """Charts of pages that run in this process are made faster."""
    with mock.patch.object(schemapi, "_FromDict", OneTable):
        yield


@pytest.fixture(scope="session", autouse=True)
def shipped_datasets() -> None:
    """The shipped datasets are read and checked once, as in a build, and not for each test."""
    keep(*sorted(path.parent for path in (ROOT / "data").glob("*/datapackage.json")))


@cache
def built() -> Path:
    """The folder of the whole site, built in the repository (only what changed).

    `make test` has just built it, and says so.
    """
    if "BUILT" in os.environ:
        return ROOT / "_build"
    for _ in range(60):
        result = command(ROOT, "book")
        if "another build is writing" not in result.stderr:  # for the tests of another process
            break
        time.sleep(5)
    assert result.returncode == 0, result.stderr
    return ROOT / "_build"


@pytest.fixture(scope="session")
def site() -> Path:
    """The html folder of the whole site."""
    return built() / "html"


def often(values: Iterable[str], *some: str) -> list[Any]:
    """Parameters of a test: some of the values always, the others where all is run."""
    return [one if one in some else pytest.param(one, marks=pytest.mark.wide) for one in values]


# Of a lesson or a list that any dataset has, the third is read where all is run.
EACH = often(("blinatumomab", "bmt", "myeloid"), "blinatumomab", "bmt")


def missing(what: str) -> None:
    """Skip the tests that need it, but never in CI."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(what)


@pytest.fixture(scope="session")
def axe() -> str:
    """The script that finds barriers on a page, which npm fetches once."""
    script = ROOT / "_build" / f"axe-{AXE}.min.js"
    if not script.exists():
        if not (npm := shutil.which("npm")):
            missing("npm is not installed, which fetches axe-core; apt-get install npm")
        with tempfile.TemporaryDirectory(dir=script.parent) as folder:
            options = ("--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix")
            fetch = [npm, "install", *options, folder, f"axe-core@{AXE}"]
            result = subprocess.run(fetch, capture_output=True, text=True, timeout=300)
            if result.returncode:
                missing(f"npm cannot fetch axe-core {AXE}: {result.stderr.strip()}")
            (Path(folder) / "node_modules" / "axe-core" / "axe.min.js").replace(script)
    return script.read_text("utf-8")


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """Chromium."""
    found = installed_browser()
    if found is None:
        missing("Chromium is not installed; apt-get install chromium")
    with chromium(found) as instance:
        yield instance
