"""From executed notebooks to pages, and from finished pages to the site that readers open."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import yaml

from ..course.launch import ALL
from ..course.launch import FOLDER as EXERCISES
from ..dataset.definitions import PAPERS, definition
from ..dataset.model import ROOT
from ..page.contents import BOOK, TOC, Place, pages, table_of
from ..page.prose import Prose
from ..printed import entry
from .front import put_into
from .rendering import BuildError, render
from .tables import write_tables

if TYPE_CHECKING:
    from ..course.learner import Patients

LEFT_OUT = ("__pycache__", ".ipynb_checkpoints")
LOCK = ".lock"  # a file in each folder that is built into
SWAPPED = ("html", "results")
PASSING = NEXT, PREVIOUS, DISCARD = ("next", "previous", "discard")  # hold them in the exchange


def sources() -> list[Path]:
    """What pages are made of besides the executed notebooks; not what was built among it."""
    found = []
    for name, folders, files in os.walk(BOOK):
        folder = Path(name)
        folders[:] = (f for f in folders if f not in LEFT_OUT and not (folder / f / LOCK).exists())
        found += [folder / file for file in files if not file.endswith(".ipynb")]
    return sorted(found)


def configuration(
    title: str,
    authors: str,
    slug: str,
    shelf: dict[str, tuple[str, list[str]]],
    context: dict[str, Any],
) -> str:
    """The root _config.yml with what differs between books, as YAML.

    `authors` are named in the footer, which has no such line, nor one on copyright, where there are
    none. `slug` is the book's folder within the site ("" for the root), `shelf` the title and the
    pages of each book of the site by its slug, `context` what else the templates are told. Where
    none of the shelf is at the root, a page lists all books there.
    """
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    config["author"] = authors
    footer = config["sphinx"]["config"]["html_theme_options"]["footer_content_items"]
    for whose in ("author.html", "copyright.html") if not authors else ():
        footer.remove(whose)
    up = "../" if slug else ""
    books = [
        {"title": name, "folder": up + (other and f"{other}/"), "pages": has, "here": other == slug}
        for other, (name, has) in shelf.items()
    ]
    above = "" if "" in shelf else f"{up}index.html"
    known = {"dataset": title, "books": books, "site_root": not slug, "above": above, **context}
    config["sphinx"]["config"]["html_context"].update(known)
    if base := config["html"]["baseurl"]:
        config["html"]["baseurl"] = f"{base.rstrip('/')}/" + (f"{quote(slug)}/" if slug else "")
    config["title"] = f"{config['title']}: {title}"
    return yaml.safe_dump(config, allow_unicode=True, sort_keys=False)


def write_pages(
    folder: Path,
    config: str,
    kept: list[Place],
    notebooks: Iterable[Path],
    preview: bytes,
    patients: Patients,
    name: str,
    cache: Path,
    cards: str = "",
    elsewhere: Collection[str] = (),
) -> Path:
    """Make folder/html from book/ and the executed notebooks, each with its results beside it.

    Returns the folder of `cache` in which Sphinx keeps what it need not make again.
    `kept` are the pages of the book. `preview` is the picture of the book for those who show a link
    to it. `patients` are those of the learner's notebooks, `name` is what messages call the book.
    Its first page has the `cards` of the site's books. Of the pages that it lacks those `elsewhere`
    are in the book of the root, to which its links then lead.
    """
    stage = folder / "book"
    for path in sources():
        copy = stage / path.relative_to(BOOK)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    (stage / "_config.yml").write_text(config, "utf-8")
    (stage / "_static" / "preview.png").write_bytes(preview)
    for notebook in notebooks:
        shutil.copy(notebook, stage)
        shutil.copytree(notebook.parent / "results", stage / "results", dirs_exist_ok=True)
    _bind(stage, kept, elsewhere)
    for first in stage.glob("index.ipynb") if cards else ():
        put_into(first, cards)
    # The other Markdown is the same in every book: it also names the columns of other studies.
    said = "\n".join(map(text_of, stage.glob("*.ipynb")))
    for glossary in stage.glob("glossary.md"):
        glossary.write_text(spoken(glossary.read_text("utf-8"), said), "utf-8")
    workshop = render(stage, cache, name, folder / "html")
    if (stage / "results").exists():  # a chart's link is in a notebook, which knows no hash
        shutil.copytree(stage / "results", folder / "html" / "results")
    write_tables(folder / "html", [place.name for place in kept])
    _write_exercises(folder / "html" / EXERCISES, patients, kept)
    (folder / "html" / ".buildinfo").unlink(missing_ok=True)
    shutil.rmtree(folder / "_build", ignore_errors=True)
    shutil.rmtree(stage)
    return workshop


def _bind(stage: Path, kept: list[Place], elsewhere: Collection[str]) -> None:
    """Write the table of contents of a book, and take out what leads to pages that it lacks.

    What leads to those `elsewhere` leads there.
    """
    (stage / TOC).write_text(table_of(kept), "utf-8")
    names = {place.name for place in kept}
    missing = (
        {path.stem for path in pages()} | {definition(entry).page for entry in PAPERS}
    ) - names
    if not missing:
        return
    # For the paper's figures stand the first curve and the first incidence of the book.
    curves = {place.path.stem: place for place in reversed(kept) if place.endpoint}
    instead = {name: place for name, place in curves.items() if name in missing}

    def bound(text: str) -> str:
        return without_links(led_to_root(text, elsewhere), missing, instead)

    def rebound(lines: str | list[str]) -> str | list[str]:
        """What a notebook has as lines stays so where no link in it changes."""
        text = "".join(lines)
        return lines if (found := bound(text)) == text else found

    for path in stage.glob("*.md"):
        if path.stem in missing:
            path.unlink()
        else:
            path.write_text(bound(path.read_text("utf-8")), "utf-8")
    for path in stage.glob("*.ipynb"):
        notebook = json.loads(path.read_text("utf-8"))
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = rebound(cell["source"])
            for output in cell.get("outputs", []):
                for kind in {"text/markdown", "text/html"} & set(output.get("data", {})):
                    output["data"][kind] = rebound(output["data"][kind])
        path.write_text(json.dumps(notebook, ensure_ascii=False), "utf-8")


# An entry of the glossary: its terms, a line each, and what they mean.
ENTRY = re.compile(r"((?:^[^\s`].*\n)+)(?:^ +.*\n)+\n?", re.MULTILINE)


def spoken(glossary: str, said: str) -> str:
    """The glossary without the words that the pages of a book, what is `said`, do not use."""

    def used(term: str) -> bool:
        return re.search(rf"(?<!\w){re.escape(term)}s?(?!\w)", said, re.IGNORECASE) is not None

    def kept(entry: re.Match) -> str:
        terms = [term for term in entry[1].splitlines() if used(term)]
        return entry[0].replace(entry[1], "".join(f"{term}\n" for term in terms)) if terms else ""

    return ENTRY.sub(kept, glossary)


def text_of(notebook: Path) -> str:
    """What an executed notebook says, its code left out."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    said = [cell["source"] for cell in cells if cell["cell_type"] == "markdown"]
    for output in (output for cell in cells for output in cell.get("outputs", [])):
        said += [output.get("data", {}).get(kind, "") for kind in ("text/markdown", "text/plain")]
    return "\n".join("".join(text) for text in said)


def without_links(
    text: str, missing: Collection[str], instead: Mapping[str, Place] = MappingProxyType({})
) -> str:
    """Text that leads to no page of `missing`; in the place of some of them others stand.

    What begins with such a link goes with it: the line of a list or of a table, a sentence, a
    clause after `, and`, a colon or a semicolon, and what is nothing but links in parentheses. Of
    any other link the words stay.
    """
    for name, place in instead.items():
        title = Prose("{title}", title=place.title).markdown
        text = re.sub(rf"\[[^]\n]*\]\({name}\.ipynb\)", f"[{title}]({place.name}.ipynb)", text)
    names = "|".join(sorted(missing))
    link = rf"\[[^]\n]*\]\((?:{names})\.(?:ipynb|md|html)[^)\n]*\)"
    rest = r"(?:\[[^]\n]*\]\([^)\n]*\)|\{cite[^}]*\}`[^`]*`|[^.\n])*\."  # of a sentence
    text = re.sub(rf"^(?:- |\| ){link}.*\n?", "", text, flags=re.MULTILINE)
    text = re.sub(rf" \((?:Lessons? )?{link}(?:(?:,| and|, and) {link})*\)", "", text)
    text = re.sub(rf"(?:^|(?<=[.?!*] )){link}{rest} ?", "", text, flags=re.MULTILINE)
    text = re.sub(rf"(?:, and|:|;) {link}{rest}", ".", text)
    text = re.sub(link, lambda found: found[0][1:].partition("](")[0], text)
    text = re.sub(rf"{{doc}}`({names})`", r"\1", text)
    return re.sub(
        rf'<a [^>]*href="(?:{names})\.html[^"]*"[^>]*>(.*?)</a>', r"\1", text, flags=re.DOTALL
    )


def led_to_root(text: str, names: Collection[str]) -> str:
    """Text whose links to these pages lead to those of the root's book, one folder up."""
    if not names:
        return text
    page = rf"((?:{'|'.join(sorted(names))}))"
    link = rf"\[([^]\n]*)\]\({page}\.(?:ipynb|md|html)(#[^)\n]*)?\)"
    text = re.sub(link, r'<a href="../\2.html\3">\1</a>', text)
    return re.sub(rf'href="{page}\.html', r'href="../\1.html', text)


def _write_exercises(folder: Path, patients: Patients, kept: list[Place]) -> None:
    """The learner's notebooks of a book, and all in one file with the data that go with them.

    Beside them the table of the patients, which the worked pieces read, where all may have it.
    """
    import nbformat  # slow to import, and of no use to the other commands

    from ..course.learner import learner, lessons

    folder.mkdir()
    there = {place.path for place in kept}
    for path in (path for path in lessons() if path in there):
        nbformat.write(learner(nbformat.read(path, as_version=4), patients), folder / path.name)
    if patients.shared:
        package = json.loads((patients.folder / "datapackage.json").read_text("utf-8-sig"))
        table = patients.folder / package["resources"][0]["path"]
        shutil.copy(table, folder / table.name)
    with ZipFile(folder / ALL, "w", ZIP_DEFLATED) as both:
        for path in sorted(folder.glob("*.ipynb")):
            _add(both, path, path.name)
        for path in sorted(patients.folder.rglob("*")) if patients.beside else ():
            if path.is_file():
                _add(
                    both, path, f"{patients.beside}/{path.relative_to(patients.folder).as_posix()}"
                )


def _add(archive: ZipFile, path: Path, name: str) -> None:
    """Put a file into an archive, without its time: the same files make the same archive."""
    archive.writestr(ZipInfo(name), path.read_bytes(), ZIP_DEFLATED)


def publish(
    pages: Mapping[str, Path],
    results: Mapping[str, list[Path]],
    out: Path,
    front: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Assemble the site beside the old one, then exchange the two by renames.

    `pages` has the html folder of each book by its slug, `results` its folders of results, `front`
    the text of other files by their names, for where no book has the root.
    """
    new, old = out / NEXT, out / PREVIOUS
    shutil.rmtree(new, ignore_errors=True)
    for slug, html in pages.items():
        shutil.copytree(html, new / "html" / slug, dirs_exist_ok=True)
        (new / "results" / slug).mkdir(parents=True, exist_ok=True)
        for folder in results[slug]:
            shutil.copytree(folder, new / "results" / slug, dirs_exist_ok=True)
    for name, text in front.items():
        (new / "html" / name).write_text(text, "utf-8")
    (new / "html" / ".nojekyll").touch()  # or GitHub Pages would leave out the folders named _…
    old.mkdir()
    for name in SWAPPED:
        if (out / name).exists():
            (out / name).rename(old / name)
    for name in SWAPPED:
        (new / name).rename(out / name)
    old.rename(out / DISCARD)  # from here on the new site is the good one
    new.rmdir()
    recover(out)


def require_ours(out: Path) -> None:
    """Refuse to replace folders with the names of ours that hold somebody's other work."""
    html, results = (out / name for name in SWAPPED)
    strange = [html] if html.exists() and not (html / ".nojekyll").exists() else []
    for folder in (out / name for name in PASSING):
        if folder.is_dir():
            strange += [path for path in folder.iterdir() if path.name not in SWAPPED]
    for path in results.rglob("*") if results.exists() else ():
        if path.is_file() and path.suffix != ".csv" and path.name != entry.ENTRY:
            strange.append(path)
    if strange:
        raise BuildError(f"{strange[0]}: not of this book; move it or choose another folder")


def recover(out: Path) -> None:
    """Put the last good site back if a build was killed while it exchanged the two."""
    old = out / PREVIOUS
    for name in SWAPPED:
        if (old / name).exists():
            shutil.rmtree(out / name, ignore_errors=True)
            (old / name).rename(out / name)
    for leftover in (old, out / DISCARD):
        shutil.rmtree(leftover, ignore_errors=True)
