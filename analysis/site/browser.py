"""The browser that prints the book, and in which the tests read it: an installed Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from .pages import BuildError

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Containers have no sandbox and little shared memory; the pages are our own, and draw no 3D.
OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")


def installed_browser() -> str | None:
    """Where Chromium is on this machine, None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def require_browser() -> str:
    """Where Chromium is on this machine; raises BuildError where there is none."""
    if program := installed_browser():
        return program
    raise BuildError(f"Chromium is not installed: there is none of {', '.join(NAMES)}")


@contextmanager
def chromium(program: str) -> Iterator[Browser]:
    """The browser at `program`, running."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


def print_page(program: str, page: Path, target: Path) -> None:
    """Print a page of ours, which needs no network, as A4."""
    with chromium(program) as browser:
        sheet = browser.new_page()
        sheet.goto(page.as_uri())
        sheet.pdf(path=target, format="A4", margin=dict.fromkeys(("top", "bottom"), "15mm"))
