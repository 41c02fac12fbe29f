"""datapackage.json as a file of JSON, whatever it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .cells import read_text
from .declared import PACKAGE
from .problems import Problem, quoted


def read_package(folder: Path) -> tuple[Any, list[Problem]]:
    """The package, or None where it is no JSON."""
    path = folder / PACKAGE
    if not path.is_file():
        expected = "not found; a dataset is a folder with a datapackage.json"
        return None, [Problem(str(path), expected=expected)]
    text, problems = read_text(path)
    if text is None:
        return None, problems
    twice: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict:
        keys = [key for key, _ in pairs]
        twice.extend(sorted({key for key in keys if keys.count(key) > 1 and key != "$comment"}))
        return dict(pairs)

    try:
        package = json.loads(text, object_pairs_hook=once, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        row, place, said = error.lineno, f"column {error.colno}", error.msg
    except _NoNumber as error:
        row, place, said = None, "", str(error)
    except (ValueError, RecursionError):
        row, place, said = None, "", "a number or a nesting is too large"
    else:
        expected = "the key {} stands twice in one object; keep one"
        problems += [Problem(PACKAGE, expected=expected.format(quoted(key))) for key in twice]
        return package, problems
    return None, [*problems, Problem(PACKAGE, row, place=place, expected=f"not valid JSON: {said}")]


class _NoNumber(ValueError):
    pass


def _no_number(text: str) -> None:
    raise _NoNumber(f"{text} is no number of JSON")
