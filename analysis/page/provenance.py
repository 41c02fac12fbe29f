"""What made a page, as its reader sees it: data, parameters, programs and commit."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from ..dataset.model import ROOT, Dataset
from .quantities import MASKED

SHIPPED = ROOT / "data"
SHOWN = ("numpy", "pandas", "scipy", "altair")  # the packages that compute and draw
IN_YEAR = re.compile(r"(?P<journal>\D+?),? (?P<year>\d{4})(?=[;:.]|$)")  # `Blood 2004;79:859`
INITIALS = re.compile(r" [A-Z-]{1,4}$")


def provenance(dataset: Dataset, folder: Path, parameters: dict[str, Any]) -> dict[str, str]:
    """The lines under each page by their names; no time, so that equal inputs give equal pages."""
    given = ", ".join(f"{name} = {value}" for name, value in parameters.items())
    packages = ", ".join(f"{name} {version(name)}" for name in SHOWN)
    python = f"Python {platform.python_version()}"
    return {
        "Data": _data(dataset, folder),
        "Parameters": given or "defaults",
        "Made with": f"Plateau {own_version()}, {python}, {packages}",
        "Commit": commit(ROOT),
    }


def source(dataset: Dataset, folder: Path) -> str:
    """Where a drawing is from that leaves its page: the book, its patients, its data."""
    settings, number = dataset.settings, dataset.size
    size = MASKED if 0 < number < dataset.mask_below else f"{number:,}"
    invented = " Synthetic cohort: no patient data." if settings.synthetic else ""
    cohort = f"{dataset.title} ({size} {settings.population})"
    return f"Source: {cohort}; {_data(dataset, folder)}; Plateau {own_version()}.{invented}"


def paper(dataset: Dataset) -> tuple[str, str]:
    """The first source of a dataset in short, `Kyle et al., Blood 2004`, and its address, if any.

    A title that is not written as `Kyle RA, Therneau TM. Title. Blood 2004;79:859` stands as it is.
    """
    source = (dataset.package.get("sources") or [{}])[0]
    title, address = source.get("title", ""), source.get("path", "")
    written, _, rest = title.partition(". ")
    dated = (IN_YEAR.match(part) for part in reversed(re.split(r"(?<=[.?!]) ", rest)))
    if (found := next(filter(None, dated), None)) is None:
        return title, address
    people = [INITIALS.sub("", name) for name in written.split(", ")]
    who = f"{people[0]} et al." if len(people) > 2 else " and ".join(people)
    return f"{who}, {found['journal']} {found['year']}", address


def studied(dataset: Dataset) -> dict[str, Any]:
    """Whose patients they are, as words and for templates, and of which `article`.

    They are `real` where the dataset declares that they are not synthetic, and else are not said
    to be: of patients whose days were changed neither holds.
    """
    made, real = dataset.settings.synthetic, dataset.package["analysis"].get("synthetic") is False
    whose = "Synthetic cohort" if made else "Real patients" if real else ""
    return {"synthetic": made, "real": real, "whose": whose, "article": paper(dataset)[0]}


def _data(dataset: Dataset, folder: Path) -> str:
    table = dataset.package["resources"][0]["path"]
    return f"{named(dataset)}, {table} SHA-256 {digest(dataset, folder)[:12]}"


def named(dataset: Dataset) -> str:
    """A dataset's name with its version, where it has one."""
    return " ".join(filter(None, (dataset.name, dataset.package.get("version"))))


def authors(dataset: Dataset, folder: Path) -> str:
    """Whose book it is: of a shipped dataset the project's, else its own authors, if it names any.

    They are the contributors whose role is `author`, in either form of the Data Package standard.
    """
    if folder.is_relative_to(SHIPPED):
        return yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["author"]
    people = dataset.package.get("contributors", [])
    found = [
        str(person.get("title", ""))
        for person in people
        if "author" in {str(person.get("role")).lower(), *map(str.lower, person.get("roles", []))}
    ]
    return ", ".join(filter(None, found))


def digest(dataset: Dataset, folder: Path) -> str:
    """The SHA-256 of the table of patients; of one in parts that of their digests, by name."""
    table = folder / dataset.package["resources"][0]["path"]
    if not table.is_dir():
        return hashlib.sha256(table.read_bytes()).hexdigest()
    whole = hashlib.sha256()
    for path in sorted(table.rglob("*.parquet")):
        with path.open("rb") as part:  # which need not fit into memory
            whole.update(hashlib.file_digest(part, "sha256").digest())
    return whole.hexdigest()


def own_version() -> str:
    """Plateau's version stands in one file, which others read too."""
    return yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))["version"]


def commit(root: Path) -> str:
    """The short hash of the repository `root`, `unknown` where it is none.

    A repository around it, say a folder of projects, is not asked: its commit is of other code.
    """
    described = ("describe", "--always", "--exclude=*", "--abbrev=7", "--dirty= + changes")
    return _git(root, *described) or "unknown"


def revision(root: Path) -> str:
    """The commit by which others can fetch the repository `root`; none where it is none."""
    return _git(root, "rev-parse", "HEAD")


def _git(root: Path, *asked: str) -> str:
    ask = ["git", "--no-optional-locks", "-C", str(root), *asked]
    around = os.environ | {"GIT_CEILING_DIRECTORIES": str(root.parent)}
    try:
        result = subprocess.run(ask, capture_output=True, text=True, env=around)
    except OSError:  # no git on this machine
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""
