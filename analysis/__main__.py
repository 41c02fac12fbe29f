"""The command line: `python -m analysis --help`."""

from __future__ import annotations

import argparse
import codecs
import json
import os
import sys
import unicodedata
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import yaml

from .dataset.model import ROOT
from .dataset.new import new
from .dataset.problems import DataError, of_system
from .importing.words import counted
from .site.build import build
from .site.pages import BuildError
from .site.processes import building, stop_when_told
from .study.advice import check

EXAMPLES = """\
examples:
  python -m analysis book
      the paper's book at _build/html/index.html, with those of the other shipped datasets
  python -m analysis new my_patients
      a folder to begin with: what the columns mean, and an empty table
  python -m analysis import my_patients.xlsx my_patients
      the same folder from a file, with its mapping in import.yaml
  python -m analysis check my_patients
      what to mend in the folder my_patients, a line each
  python -m analysis book --dataset my_patients --out my_book
      the book of these patients at my_book/html/index.html, its numbers in my_book/results/
  python -m analysis books sites other_study --out shelf
      a book for each dataset in the folder sites, and one more
  python -m analysis assignment --lessons 1,4 --dataset my_patients --out course
      notebooks for students in course/handout, the answer key in course/key, and the same for
      nbgrader and for Otter
  python -m analysis marks returned --assignment course/nbgrader/source/my_patients-1-4
      the marks of the notebooks in the folder returned, in returned/marks.csv and feedback.csv
  python -m analysis pdf
      the paper's book as one PDF, at _build/plateau.pdf

The exit status is 0 only where all went well; else the last good book stays as it was.
`python -m analysis COMMAND --help` explains a command, and book/rerunning.md the dataset folder.
"""

ASSIGNMENTS = Path("_build/assignment")

# What a console without these signs shows instead.
PLAIN = {"–": "-", "—": "-", "−": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "…": "..."}
PLAIN |= {"≤": "<=", "≥": ">=", "≈": "about ", "→": "->", "×": "x", "·": "*", "\xa0": " "}


def run() -> NoReturn:
    """The program: `main` on a console of any encoding, whose reader may leave early."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # of libraries, about what their users cannot change
    stop_when_told()
    codecs.register_error("plain", _plain)
    streams = [stream for stream in (sys.stdout, sys.stderr) if stream]
    for stream in streams:
        stream.reconfigure(errors="plain")
    try:
        try:
            status = main()
        except SystemExit as end:  # of argparse
            status = end.code
        for stream in streams:
            stream.flush()
    except BrokenPipeError:
        status = 141  # as of a program that the closed pipe ended
    except OSError as error:  # what it says goes to a disk that is full, say
        with suppress(OSError):
            os.write(2, f"{of_system(error)}\n".encode())
        status = 1
    os._exit(status)  # all is said: the interpreter would try again what it could not write


def _plain(error: UnicodeError) -> tuple[str, int]:
    """What to write instead of signs that an encoding lacks."""
    lacking = error.object[error.start : error.end]
    known = (PLAIN.get(sign) or ascii(sign)[1:-1] for sign in lacking)
    return "".join(known), error.end


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except BrokenPipeError:
        raise
    except (DataError, BuildError) as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(of_system(error), file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    """Each command with what it does; what it does in full is the docstring of its function."""
    parser = argparse.ArgumentParser(
        prog="python -m analysis",
        description="Plateau: a dataset folder in, a finished book out.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    whole = partial(argparse.ArgumentParser, allow_abbrev=False)  # an option is not guessed
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=whole)

    def add(name: str, run: Callable[[argparse.Namespace], int], words: str) -> Any:
        command = commands.add_parser(name, help=words, description=run.__doc__)
        command.set_defaults(command=run)
        return command

    book = add("book", _book, "run the notebooks and build the site")
    _say_which_book(book)
    lessons = "all: the lessons of every shipped dataset (default: of the first three)"
    book.add_argument("--lessons", choices=["all"], help=lessons)
    _say_which_books(add("books", _books, "build the books of many datasets, on many machines"))
    _say_which_book(add("pdf", _pdf, "print the book as one PDF"))
    for name, run, words in (
        ("handouts", _handouts, "print lessons for a class"),
        ("slides", _slides, "print the slides of lessons"),
    ):
        printing = add(name, run, words)
        _say_which_book(printing)
        some = "numbers of lessons, such as 1,4 (default: all)"
        printing.add_argument("--lessons", type=_numbers, default=[], metavar="N,N", help=some)
    folder = {"type": _path, "metavar": "FOLDER"}
    _say_which_lessons(add("assignment", _assignment, "make an assignment of exercises to grade"))
    marking = add("marks", _marks, "mark returned notebooks of an assignment")
    marking.add_argument("folder", **folder)
    made = "the assignment's folder in nbgrader/source (default: the one in _build)"
    marking.add_argument("--assignment", help=made, **folder)
    limit = "seconds that a notebook may run (default: 120)"
    marking.add_argument("--seconds", type=float, default=120, metavar="N", help=limit)
    add("new", _new, "lay out a dataset folder to begin with").add_argument("folder", **folder)
    checking = add("check", _check, "say what is wrong with a dataset folder")
    checking.add_argument("folder", **folder)
    private = "name rows and columns, and no value of a patient"
    checking.add_argument("--private", action="store_true", help=private)
    _say_which_file(add("import", _import, "make a dataset folder from a file"))
    add("notebooks", _notebooks, "run the notebooks of book/ in place")
    return parser


def _say_which_book(command: argparse.ArgumentParser) -> None:
    """Which dataset, with which parameters, and where to."""
    command.add_argument("--dataset", type=_path, metavar="FOLDER", help="a dataset of your own")
    _say_how(command)


def _say_which_lessons(command: argparse.ArgumentParser) -> None:
    """Which lessons, on which dataset, and where to."""
    numbers = "numbers of lessons, such as 1,4"
    command.add_argument("--lessons", type=_numbers, required=True, metavar="N,N", help=numbers)
    default, where = ROOT / "data/blinatumomab", "where handout/, nbgrader/, otter/ and key/ go"
    folder = {"type": _path, "metavar": "FOLDER"}
    command.add_argument("--dataset", default=default, help="a dataset of your own", **folder)
    command.add_argument("--out", default=ASSIGNMENTS, help=where, **folder)


def _numbers(text: str) -> list[int]:
    parts = text.replace(",", " ").split()
    if not parts or not all(part.isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not N,N")
    return sorted(set(map(int, parts)))


def _say_which_books(command: argparse.ArgumentParser) -> None:
    """Which datasets, by whom, with which parameters, and where to."""
    several = "a dataset, or a folder of datasets; may be repeated"
    command.add_argument("folders", type=_path, nargs="+", metavar="FOLDER", help=several)
    running = "a Dask scheduler, such as tcp://10.0.0.1:8786 (default: a process a core, here)"
    command.add_argument("--scheduler", default="", metavar="ADDRESS", help=running)
    _say_how(command)


def _say_how(command: argparse.ArgumentParser) -> None:
    """Where to, and with which parameters."""
    command.add_argument(
        "--out",
        type=_path,
        default=Path("_build"),
        metavar="FOLDER",
        help="where html/, results/, a PDF and the cache go (default: _build)",
    )
    command.add_argument(
        "--parameter",
        type=_parameter,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="set a notebook's parameter, the value as YAML; may be repeated",
    )


def _say_which_file(command: argparse.ArgumentParser) -> None:
    """What is read beside it, what of it, and which folder is made."""
    file = {"type": _path, "metavar": "FILE"}
    command.add_argument("file", help="one row a patient; for ADaM: ADSL", **file)
    command.add_argument("folder", type=_path, metavar="FOLDER")
    command.add_argument("--sheet", metavar="NAME", help="the sheet of an Excel file")
    for option, words in (
        ("--dictionary", "the data dictionary of a REDCap export"),
        ("--catalog", "the catalog of a SAS file: labels of values"),
        ("--adtte", "the times to events of ADaM"),
    ):
        command.add_argument(option, help=words, **file)
    for option, words in (
        ("--new-ids", "name the patients P001, P002, …"),
        ("--force", "replace files that import did not make, or you changed"),
    ):
        command.add_argument(option, action="store_true", help=words)


def _path(text: str | Path) -> Path:
    """A file or folder, if its whole name is one that a line and a page can show."""
    path = Path(text)
    try:
        whole = str(path.resolve())
    except (OSError, RuntimeError) as error:  # a link to itself, say
        said = of_system(error) if isinstance(error, OSError) else error
        raise argparse.ArgumentTypeError(f"{str(path)!r} cannot be followed: {said}") from None
    if not str(text) or any(unicodedata.category(sign) in ("Cc", "Cs") for sign in whole):
        raise argparse.ArgumentTypeError(
            f"{str(text)!r}: expected a name without control characters"
        )
    return path


def _parameter(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    try:
        if not (equals and name.isidentifier()):
            raise ValueError
        read = yaml.safe_load(value)
        json.dumps(read, default=str)  # no list that holds itself
        return name, read
    except (ValueError, TypeError, RecursionError, yaml.YAMLError):
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE") from None


@building()
def _book(options: argparse.Namespace) -> int:
    """Run the notebooks that changed and build the site. Without --dataset: the paper's book,
    with the same book of every other shipped dataset under it, of which some have no lessons
    unless all are asked for.
    """
    folder, parameters = options.dataset and options.dataset.resolve(), dict(options.parameter)
    ran, unchanged, books = build(folder, options.out.resolve(), parameters, bool(options.lessons))
    where = options.out / "html" / "index.html"
    # Each dataset runs each notebook: an edit of one notebook runs it once for each.
    over = f", over {books} datasets" if books > 1 else ""
    many = "notebook" if ran == 1 else "notebooks"
    print(f"The book is at {where} ({ran} {many} run, {unchanged} unchanged{over})")
    return 0


@building()
def _books(options: argparse.Namespace) -> int:
    """Build the book of each dataset, each under its folder's name in OUT/html and OUT/results. A
    dataset that fails is named with its reason, and the others are built.
    """
    from .site.shelf import make_books  # loads Dask, which takes seconds

    out, parameters = options.out.resolve(), dict(options.parameter)
    folders = [folder.resolve() for folder in options.folders]
    built, failed = make_books(folders, out, parameters, options.scheduler)
    where = options.out / "html" / "index.html"
    print(f"{built} {'book' if built == 1 else 'books'} built, {failed} failed; all are at {where}")
    return 1 if failed else 0


@building()
def _pdf(options: argparse.Namespace) -> int:
    """Build the site as `book` does and print one book of it, with Chromium: the paper's to
    OUT/plateau.pdf, that of a dataset of your own to OUT/NAME.pdf, where NAME is the dataset's.
    """
    from .site.pdf import write_pdf

    out = _built_to_print(options)
    name = f"{_name_of(options.dataset) if options.dataset else 'plateau'}.pdf"
    pages = write_pdf(out / "html", out / name)
    print(f"The PDF is at {options.out / name} ({pages} pages)")
    return 0


def _name_of(folder: Path) -> str:
    """The name of a dataset of which a book has been built."""
    return json.loads((folder / "datapackage.json").read_text("utf-8-sig"))["name"]


def _built_to_print(options: argparse.Namespace) -> Path:
    """Build the site; returns the folder it is in. Raises BuildError where there is no browser."""
    from .site.browser import require_browser  # slow to import, and seldom needed

    require_browser()  # before a build that takes minutes
    out = options.out.resolve()
    build(options.dataset.resolve() if options.dataset else None, out, dict(options.parameter))
    return out


@building()
def _handouts(options: argparse.Namespace) -> int:
    """Build the site as `book` does and print lessons of one book to OUT/handouts/, with
    Chromium: with room to write, and without solutions.
    """
    from .site.pdf import write_handouts

    out = _built_to_print(options)
    made = write_handouts(out / "html", out / "handouts", options.lessons)
    print(f"{_are(len(made), 'lesson')} in {options.out / 'handouts'}")
    return 0


@building()
def _slides(options: argparse.Namespace) -> int:
    """Build the site as `book` does and print the slides of lessons of one book to OUT/slides/,
    with Chromium: 16:9, without solutions.
    """
    from .site.slides import write_slides

    out = _built_to_print(options)
    made = write_slides(out / "html", out / "slides", options.lessons)
    print(f"The slides of {counted(len(made), 'lesson')} are in {options.out / 'slides'}")
    return 0


def _are(count: int, noun: str) -> str:
    return f"{counted(count, noun)} {'is' if count == 1 else 'are'}"


def _assignment(options: argparse.Namespace) -> int:
    """Write exercises of lessons as an assignment, with their answers hashed: to hand out as it is,
    for nbgrader and for Otter; and an answer key to print, as PDF too where there is Chromium.
    """
    from .course.assignment import assignment  # slow to import, and of no use to the others
    from .site.browser import installed_browser, print_page

    out = options.out.resolve()
    name, said = assignment(options.lessons, options.dataset.resolve(), out)
    for line in said:
        print(line, file=sys.stderr)
    key = out / "key" / f"{name}.html"
    if program := installed_browser():
        print_page(program, key, key.with_suffix(".pdf"))
    print(f"The assignment {name} is in {options.out}:")
    print(f"  handout/{name} is for students; it holds no solution")
    print("  nbgrader, otter and key hold the solutions: keep them away from students")
    return 0


def _marks(options: argparse.Namespace) -> int:
    """Run each returned notebook with a time limit, take its answers out and mark them. FOLDER has
    a folder for each student, or notebooks with the student's name. It gets marks.csv,
    where a blank is no answer, and feedback.csv with the words of the checks. What students have
    written is run with your rights: use a machine where it can do no harm.
    """
    from .course.marks import marks  # slow to import, and of no use to the others

    made = [options.assignment] if options.assignment else []
    made = made or [path for path in (ASSIGNMENTS / "nbgrader/source").glob("*") if path.is_dir()]
    if len(made) != 1:
        raise DataError([f"{len(made)} assignments in {ASSIGNMENTS}: name one with --assignment"])
    tell = partial(print, file=sys.stderr, flush=True)
    target, words = (options.folder / name for name in ("marks.csv", "feedback.csv"))
    for table, feedback in marks(options.folder, made[0], options.seconds, tell):
        table.to_csv(target, index=False)
        feedback.to_csv(words, index=False)
    many = counted(len(table), "student")
    print(f"The marks of {many} are in {target}, what the checks say in {words}")
    return 0


def _new(options: argparse.Namespace) -> int:
    """Write a commented datapackage.json and an empty patients.csv."""
    for line in new(options.folder):
        print(line)
    return 0


def _import(options: argparse.Namespace) -> int:
    """Make a dataset folder from CSV, Excel, Parquet, SAS, Stata, REDCap or ADaM. The first run
    writes import.yaml, which says what becomes of each column; where it holds open questions,
    answer them there and run the same command again.
    """
    from .importing.folder import import_folder  # its readers are of no use to the other commands

    given = {name: value for name, value in vars(options).items() if name != "command"}
    print("\n".join(import_folder(given.pop("file"), given.pop("folder"), **given)))
    return 0


def _check(options: argparse.Namespace) -> int:
    """Read a dataset folder and print every problem, a line each; without any, what the book will
    show of it and what weakens that. Warnings do not change the exit status.
    """
    from .course.needs import LESSONS  # slow to import, and of no use to the others

    report, errors = check(options.folder, options.private, LESSONS)
    for line in errors:
        print(line, file=sys.stderr, flush=True)
    for line in report:
        print(line)
    return 1 if errors else 0


@building()
def _notebooks(options: argparse.Namespace) -> int:
    """Run the notebooks of book/ in place on their defaults and store the outputs."""
    from .site.stored import refresh_notebooks  # slow to import, and of no use to the others

    changed = refresh_notebooks()
    many = f"{len(changed)} notebooks changed: {', '.join(changed)}"
    print(many if changed else "Nothing changed")
    return 0


if __name__ == "__main__":
    run()
