"""Where a lesson's exercises can be done: beside the project, on Binder, on Colab, anywhere.

A learner's notebook is of one dataset. Those of the shipped datasets are in the repository, where
Binder and Colab find them; those of other books are beside the book's pages.
"""

from __future__ import annotations

import html
import json
from pathlib import Path, PurePosixPath

import yaml

from ..dataset.model import ROOT

FOLDER = "exercises"  # of the repository, with a folder for each dataset, and of each book's site
ALL = "exercises.zip"  # beside those of a book: all of them, with a public dataset
# What the notebooks import, by the names under which it is installed.
NEEDED = {"pandas": "pandas<3", "lifelines": "lifelines", "altair": "altair",
          "vl_convert": "vl-convert-python", "yaml": "pyyaml"}  # fmt: skip
FIND = """\
# Find the project that this notebook is of, or fetch it, and what is not installed.
import io
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path
from urllib.request import urlopen

places = [Path(up) for up in ("../..", "..", ".", "plateau")]
project = next((place for place in places if (place / "analysis/course").is_dir()), None)
if not project:
    with urlopen("{archive}") as answer:
        zipfile.ZipFile(io.BytesIO(answer.read())).extractall("fetched")
    project = next(Path("fetched").iterdir()).rename("plateau")
needed = {needed}
missing = [package for name, package in needed.items() if not find_spec(name)]
if missing:
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *missing], check=True)
sys.path.insert(0, str(project))"""


def of_repository(dataset: str) -> str:
    """The folder of the repository with the exercises on a dataset, named by its own; or none."""
    folder = f"{FOLDER}/{PurePosixPath(dataset).name}"
    return folder if in_project(dataset) and (ROOT / folder).is_dir() else ""


def in_project(dataset: str) -> bool:
    """Whether a dataset's folder, as pages name it, is one that comes with the project."""
    where = PurePosixPath(dataset).parts
    return len(where) == 2 and where[0] == "data" and (ROOT / dataset).is_dir()


def finding(revision: str = "") -> str:
    """The first lines of a learner's notebook; the project is fetched as of a `revision`."""
    repository = _config()["repository"]
    archive = f"{repository['url']}/archive/{revision or repository['branch']}.zip"
    return FIND.format(archive=archive, needed=json.dumps(NEEDED))


class Invitation:
    """The notebook to save, and for a shipped dataset to open on Binder or on Colab."""

    def __init__(self, page: str, dataset: str) -> None:
        self.page, self.dataset = page, dataset

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        own = f"{FOLDER}/{self.page}.ipynb"
        links = f'<a href="{html.escape(own)}" download>Notebook without solutions</a>'
        if folder := of_repository(self.dataset):
            elsewhere = addresses(f"{folder}/{self.page}.ipynb").items()
            links += "".join(f'<a href="{html.escape(to)}">{said}</a>' for said, to in elsewhere)
        links += f'<a href="{FOLDER}/{ALL}" download>All lessons (ZIP)</a>'
        words = "Try each exercise before you open its solution."
        shown = f'<p class="invitation">{words} <span class="chart-files">{links}</span></p>'
        return {"text/html": shown, "text/plain": f"{words} {own}"}


def invitation(page: str, dataset: str) -> Invitation:
    """Links to the learner's notebook of a page, on the dataset's folder as a page names it."""
    return Invitation(page, dataset)


def addresses(path: str) -> dict[str, str]:
    """Where a notebook of the repository opens, by what a link to it says."""
    config = _config()
    repository, launch = config["repository"], config["launch_buttons"]
    place = repository["url"].removeprefix("https://github.com/")
    branch = repository["branch"]
    return {
        "Open it on Binder": f"{launch['binderhub_url']}/v2/gh/{place}/{branch}"
        f"?urlpath=lab/tree/{path}",
        "Open it on Colab": f"{launch['colab_url']}/github/{place}/blob/{branch}/{path}",
    }


def _config() -> dict:
    return yaml.safe_load(Path(ROOT, "_config.yml").read_text("utf-8"))
