"""The lines under each page: what they say of the data, the parameters and the commit."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from conftest import ROOT

from analysis.dataset.model import load
from analysis.page.provenance import authors, commit, provenance
from analysis.site.pages import configuration


def git(root: Path, *arguments: str) -> None:
    who = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.org"]
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)


def repository(root: Path) -> Path:
    """A repository with one file, committed."""
    root.mkdir()
    (root / "file").write_text("one")
    git(root, "init", "--quiet")
    git(root, "add", "file")
    git(root, "commit", "--quiet", "--message", "First")
    return root


def test_a_commit_is_named_and_changes_are_not_hidden(tmp_path: Path) -> None:
    root = repository(tmp_path / "project")
    clean = commit(root)
    assert len(clean) == 7 and int(clean, 16) >= 0
    git(root, "tag", "v1")
    assert commit(root) == clean
    (root / "file").write_text("two")
    assert commit(root) == f"{clean} + changes"


def test_outside_a_repository_the_commit_is_unknown(tmp_path: Path) -> None:
    assert commit(tmp_path) == "unknown"
    inside = repository(tmp_path / "of others") / "plateau"
    inside.mkdir()
    assert commit(inside) == "unknown"  # the commit of others is not ours


def test_the_lines_name_data_and_parameters() -> None:
    folder = ROOT / "data" / "bmt"
    dataset = load(folder)
    lines = provenance(dataset, folder, {})
    digest = hashlib.sha256((folder / "patients.csv").read_bytes()).hexdigest()
    assert lines["Data"] == f"bmt 2.0.0, patients.csv SHA-256 {digest[:12]}"
    assert lines["Parameters"] == "defaults"
    assert provenance(dataset, folder, {"scale": 2})["Parameters"] == "scale = 2"


@pytest.mark.parametrize(
    ("contributors", "named"),
    [
        ([], ""),
        ([{"title": "A. Payer", "role": "funder"}], ""),
        ([{"title": "B. Writer", "role": "author"}], "B. Writer"),
        ([{"title": "B", "roles": ["author"]}, {"title": "C", "roles": ["Author"]}], "B, C"),
    ],
)
def test_a_reader_s_book_has_its_own_authors_or_none(tmp_path, contributors, named) -> None:
    shipped = load("data/bmt")
    own = replace(shipped, package={**shipped.package, "contributors": contributors})
    assert authors(own, ROOT / "data" / "bmt") == "The Plateau authors"
    assert authors(own, tmp_path) == named
    config = yaml.safe_load(configuration("T", named, "", {"": ("T", [])}, {}))
    footer = config["sphinx"]["config"]["html_theme_options"]["footer_content_items"]
    assert ("author.html" in footer) == bool(named) and config["author"] == named
    assert "provenance.html" in footer
