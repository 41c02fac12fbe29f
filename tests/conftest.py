"""Fixtures for the tests of the site: the built book, a browser, small books to break."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.browser import chromium, installed_browser

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one process, where they share what they build."""
    for item in items:
        if not item.get_closest_marker("alone"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


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


@pytest.fixture(scope="session")
def site() -> Path:
    """The html folder of the whole site, built in the repository (only what changed)."""
    for _ in range(60):
        result = command(ROOT, "book")
        if "another build is writing" not in result.stderr:  # for the tests of another process
            break
        time.sleep(5)
    assert result.returncode == 0, result.stderr
    return ROOT / "_build" / "html"


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """Chromium. Without one these tests are skipped, but never in CI."""
    found = installed_browser()
    if found is None:
        missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        missing("Chromium is not installed; apt-get install chromium")
    with chromium(found) as instance:
        yield instance
