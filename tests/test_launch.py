"""A learner's notebook finds its project, or fetches it; data travel with it where they may."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import packages_distributions, requires
from pathlib import Path
from zipfile import ZipFile

import nbformat
import pytest
from conftest import ROOT

from analysis.course.launch import ALL, FOLDER, NEEDED, Invitation, finding
from analysis.course.learner import lessons, patients_of
from analysis.page.contents import Place
from analysis.site.pages import _write_exercises

LESSON = "lesson_01_censoring.ipynb"


def archive_of_project(folder: Path) -> str:
    """The address of what a host of the project would send: its files, in a folder of their own."""
    path = folder / "main.zip"
    with ZipFile(path, "w") as archive:
        for name in ("analysis", "book/worked", "book/quiz.yaml", "data/bmt", "_config.yml"):
            there = ROOT / name
            for file in sorted(there.rglob("*")) if there.is_dir() else [there]:
                if file.is_file() and "__pycache__" not in file.parts:
                    archive.write(file, f"plateau-main/{file.relative_to(ROOT)}")
    return path.as_uri()


def code_of(notebook: Path, archive: str) -> str:
    cells = nbformat.read(notebook, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    (address,) = set(re.findall(r'urlopen\("(.*?)"\)', code))
    assert address.endswith("/archive/main.zip")
    return code.replace(address, archive)


def run(code: str, folder: Path) -> subprocess.CompletedProcess:
    """Run code as whoever has the packages and nothing else, in a folder."""
    command = [sys.executable, "-I", "-c", code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_alone_in_an_empty_folder_it_fetches_the_project_once(tmp_path: Path) -> None:
    notebook = ROOT / FOLDER / "bmt" / LESSON
    empty = tmp_path / "empty"
    empty.mkdir()
    first = run(code_of(notebook, archive_of_project(tmp_path)), empty)
    assert first.returncode == 0, first.stderr
    assert {path.name for path in empty.iterdir()} == {"fetched", "plateau"}
    again = run(code_of(notebook, "file:///nowhere.zip"), empty)
    assert again.returncode == 0, again.stderr


def test_beside_the_project_it_fetches_nothing() -> None:
    folder = ROOT / FOLDER / "bmt"
    found = run(code_of(folder / LESSON, "file:///nowhere.zip"), folder)
    assert found.returncode == 0, found.stderr


def test_what_it_installs_is_all_that_it_imports() -> None:
    """Or comes with what it installs."""
    code = "import sys; import analysis.course, analysis.course.keys_09; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    names = {name.partition(".")[0] for name in found.stdout.split()}
    owning = packages_distributions()
    owners = {plain(owner) for name in names for owner in owning.get(name, [])}
    lines = (ROOT / "requirements.in").read_text("utf-8").splitlines()
    direct = {plain(line) for line in lines if re.match(r"\w", line)}
    have, new = set(), {plain(package) for package in NEEDED.values()}
    while new:
        have |= new
        needs = (need for package in new for need in requires(package) or [])
        new = {plain(need) for need in needs if "extra ==" not in need} - have
    optional = {"pyarrow"}  # pandas looks for it
    assert "pandas" in owners and (owners & direct) - optional <= have
    scripts = (path.read_text("utf-8") for path in (ROOT / "book" / "worked").glob("*.py"))
    taught = set().union(*(re.findall(r"^(?:from|import) (\w+)", text, re.M) for text in scripts))
    assert "lifelines" in taught and taught <= {*NEEDED, "numpy", "scipy"}  # which these bring


def plain(requirement: str) -> str:
    return re.match(r"[\w.-]+", requirement)[0].lower().replace("_", "-")


def test_it_fetches_the_project_of_its_book() -> None:
    assert "/archive/0123abc.zip" in finding("0123abc")


@pytest.mark.parametrize("shared", [True, False])
def test_data_travel_where_all_may_have_them(tmp_path: Path, shared: bool) -> None:
    study = tmp_path / "our study"
    study.mkdir()
    for name in ("datapackage.json", "patients.csv"):
        (study / name).write_bytes((ROOT / "data" / "bmt" / name).read_bytes())
    kept = [Place(lessons()[0].stem, lessons()[0], "")]
    _write_exercises(tmp_path / "out", patients_of(study, "our study", shared), kept)
    with ZipFile(tmp_path / "out" / ALL) as both:
        data = {f"data/our study/{path.name}" for path in study.iterdir()}
        assert set(both.namelist()) == {LESSON, *(data if shared else set())}
        notebook = both.read(LESSON).decode()
    table = tmp_path / "out" / "patients.csv"  # to which the worked piece leads
    assert table.exists() is shared
    assert not shared or table.read_bytes() == (study / table.name).read_bytes()
    assert ("data/our study" in notebook) is shared
    assert ("where/the/patients/are" in notebook) is not shared
    assert str(tmp_path) not in notebook


def test_only_a_shipped_dataset_is_opened_elsewhere() -> None:
    shown = Invitation("lesson_01_censoring", "data/bmt")._repr_mimebundle_()["text/html"]
    assert shown.count("exercises/bmt/lesson_01_censoring.ipynb") == 2
    own = Invitation("lesson_01_censoring", "/home/me/study")._repr_mimebundle_()["text/html"]
    assert "https://" not in own and "/home/me" not in own
