"""The processes of a build: none outlives it, however it ends, and all use one temporary folder.

The first module of the package to be imported: it notes who started the program, and gives it a
home, before imports that take a second or need one.
"""

from __future__ import annotations

import inspect
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

PARENT = os.getppid()
if os.path.expanduser("~") == "~":  # a number without a name, as containers may run
    os.environ["HOME"] = os.sep
STOPPING = [getattr(signal, n) for n in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, n)]
# What programs of a build would else put into the user's home, or find there.
KEPT = ("TMPDIR", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR")
PREFIX, LOCK = "plateau-", "build.lock"  # a build's temporary folder, and what says that it runs
LONGEST = 60  # bytes of a temporary folder; the socket files in it may have 100 or so
_temporary: list[str] = []  # folders that end with the process


def stop_when_told() -> None:
    """End the program at once at a signal, but for those that it was started to ignore.

    What is half made needs no care, as none is possible after a SIGKILL: nothing reads it.
    """
    for number in STOPPING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _stop)


def _stop(number: int, _: Any = None) -> NoReturn:
    said = "interrupted; the last good book is unchanged" if _temporary else "interrupted"
    with suppress(OSError):
        os.write(2, f"{said}\n".encode())
    for folder in _temporary:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(128 + number)


@contextmanager
def building(sweeping: bool = True) -> Iterator[None]:
    """A build has a temporary folder of its own, where its programs keep theirs too.

    Without `sweeping` it leaves alone what others that were killed have left.
    """
    if sweeping:
        _sweep(_short_folder())
    place = tempfile.TemporaryDirectory(
        prefix=PREFIX, dir=_short_folder(), ignore_cleanup_errors=True
    )
    before = os.environ.copy()
    with place as folder, held(Path(folder) / LOCK):
        os.environ.update(dict.fromkeys(KEPT, folder))
        tempfile.tempdir = folder
        _temporary.append(folder)
        try:
            yield
        finally:
            _temporary.remove(folder)
            tempfile.tempdir = None
            os.environ.clear()
            os.environ.update(before)


@contextmanager
def held(lock: Path) -> Iterator[None]:
    """A lock that ends with its process, even killed. Raises sqlite3.Error where it is held."""
    with closing(sqlite3.connect(lock, timeout=0, isolation_level=None)) as held:
        held.execute("PRAGMA journal_mode = MEMORY")  # no file beside it
        held.execute("BEGIN EXCLUSIVE")
        yield


def _sweep(folder: str) -> None:
    """Remove what builds have left that were killed: nobody holds their locks."""
    for place in Path(folder).glob(f"{PREFIX}*"):
        with suppress(OSError, sqlite3.Error):
            if (place / LOCK).is_file() and not place.is_symlink():
                with held(place / LOCK):
                    pass
                shutil.rmtree(place, ignore_errors=True)


def python(code: str) -> list[str]:
    """The command of an interpreter that runs `code`, and on Linux ends when this process does."""
    return [sys.executable, "-c", f"{inspect.getsource(end_with)}end_with({os.getpid()})\n{code}"]


def end_with(parent: int) -> None:
    """Have Linux kill this process when `parent`, which started it, ends: to the system that is
    the thread which did, so it must not end before. Elsewhere kernels look for their parent."""
    import ctypes
    import os
    import sys

    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
        if os.getppid() != parent:  # it was too late to be told
            os._exit(1)


def _short_folder() -> str:
    """Where temporary files go; not where the name of a socket file would be too long."""
    usual = tempfile.gettempdir()
    return usual if os.name == "nt" or len(os.fsencode(usual)) <= LONGEST else "/tmp"


def _begin() -> None:
    """Until `main` can be told, a signal just ends the program, as does the end of its parent.

    The latter for good, unless the program was started to ignore hang-ups, as by nohup. Number 1
    adopts those whose parent has ended: such a program was meant to stand alone.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback out of the imports
    if os.name == "posix" and PARENT > 1 and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    while os.getppid() == PARENT:
        time.sleep(0.5)
    _stop(signal.SIGTERM)


if sys.argv[:1] == ["-m"]:  # the package is on its way to be run: `python -m analysis`
    _begin()
