"""A dataset whose table is in parts, folded once into the cache: the build reads that alone."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..dataset.checks import read_folder
from ..dataset.declared import PACKAGE
from ..dataset.parts import NUMBER, Each
from ..dataset.patients import in_parts
from ..dataset.problems import raise_any
from .running import once

TABLE = "patients.parquet"
BESIDE = ("published.csv", "README.md")
IN_HAND = 64  # parts that are begun and not done: what comes of them waits in memory


def folded(folder: Path, cache: Path, code: str, pool: Executor) -> Path:
    """The folder of a dataset, or where its table is in parts of the fold in the cache.

    Each part is a task of the pool; `code` says with which program. Raises DataError.
    """
    if not is_in_parts(folder):
        return folder
    each = spread(pool)
    parts = sorted((folder / _path(folder)).rglob("*.parquet"))
    beside = [folder / name for name in (PACKAGE, *BESIDE) if (folder / name).exists()]
    files = [*beside, *parts]
    total = hashlib.sha256(code.encode())
    for path, own in zip(files, each(_digest, ((path,) for path in files)), strict=True):
        total.update(f"\n{path.relative_to(folder).as_posix()} {own}".encode())

    def write(new: Path) -> None:
        contents = read_folder(folder, each)
        raise_any(contents.problems)
        made = new / folder.name
        made.mkdir()
        contents.package["resources"][0]["path"] = TABLE
        (made / PACKAGE).write_text(json.dumps(contents.package, ensure_ascii=False), "utf-8")
        table = contents.text.astype({NUMBER: str}).astype({NUMBER: int})
        table.to_parquet(made / TABLE, index=False)
        for path in beside[1:]:
            shutil.copy(path, made)

    return once(cache / total.hexdigest()[:32], write) / folder.name


def is_in_parts(folder: Path) -> bool:
    """Whether the table of a dataset is a folder of files; what is wrong with it is said later."""
    with suppress(OSError, ValueError, KeyError, IndexError, TypeError):
        return in_parts(folder, _path(folder))
    return False


def spread(pool: Executor) -> Each:
    """Tasks of a pool, some of them at once, and what comes of them in their order."""

    def each(task: Callable[..., Any], given: Iterable[tuple]) -> Iterator[Any]:
        begun: deque = deque()
        for arguments in given:
            begun.append(pool.submit(task, *arguments))
            if len(begun) == IN_HAND:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()

    return each


def _path(folder: Path) -> str:
    return json.loads((folder / PACKAGE).read_text("utf-8-sig"))["resources"][0]["path"]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
