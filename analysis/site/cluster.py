"""Any number of books at once, by the workers of a Dask cluster; `make book` loads nothing of this.

A task is a notebook, or the pages of a book, and what it makes is a folder of the cache, which all
workers see. A worker that dies loses its task, which runs again elsewhere.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

from distributed import Client, LocalCluster, Worker, WorkerPlugin, get_worker
from tornado.ioloop import PeriodicCallback

from ..survival.pieces import WORKERS
from .build import code_digest
from .kernels import Server
from .notebooks import ThisInterpreter, copies_of
from .pages import BuildError
from .processes import building
from .running import Crew, Managers

IDLE = 30_000  # milliseconds between two looks at whether a worker has something to do
ANSWER = 30  # seconds in which a scheduler answers


class Warm(WorkerPlugin):
    """What a worker has of its own: a temporary folder, and a process that kernels are copied from.

    The process ends when the worker has had nothing to do for a while, as when the run that gave it
    tasks was killed. It is started by a thread that runs tasks, which lives as long as the worker.
    """

    name = "plateau"

    def __init__(self, helping: bool) -> None:
        self._helping = helping  # whether its notebooks may have other workers help

    def setup(self, worker: Worker) -> None:
        """Begin: Dask calls it, also on workers that come later."""
        if self._helping:
            os.environ[WORKERS] = worker.scheduler.address  # for its kernels
        self._worker, self._idle, self._one = worker, False, threading.Lock()
        self._own, self._copied = ExitStack(), ExitStack()
        self._server: Server | None = None
        # Workers begin at one time: each would sweep away what another has not locked yet.
        self._own.enter_context(building(sweeping=False))
        self._watch = PeriodicCallback(self._rest, IDLE)
        self._watch.start()

    def teardown(self, worker: Worker) -> None:
        """Leave the worker as it was."""
        self._watch.stop()
        os.environ.pop(WORKERS, None)
        self._copied.close()
        self._own.close()

    def manager(self, folder: Path) -> type[ThisInterpreter]:
        """The manager of the kernel of a notebook on this dataset."""
        if sys.platform != "linux":
            return ThisInterpreter
        with self._one:
            if not self._server or self._server.ended:
                self._copied.close()
                self._server = self._copied.enter_context(Server())
            self._server.keep(folder)
            return copies_of(self._server)

    def _rest(self) -> None:
        idle = not self._worker.state.tasks
        if idle and self._idle:
            self._copied.close()
            self._server = None
        self._idle = idle


def _manager(folder: Path) -> type[ThisInterpreter]:
    warm = get_worker().plugins.get(Warm.name)  # not there where the worker came at that moment
    return warm.manager(folder) if warm else ThisInterpreter


def _managers(many: int) -> Managers:
    return _manager


def _sees(mark: Path) -> tuple[bool, str]:
    return mark.exists(), code_digest()


@contextmanager
def workers(scheduler: str, cache: Path) -> Iterator[Crew]:
    """A crew of the workers of a scheduler, or without its address of a process a core, here.

    Raises BuildError where the scheduler does not answer or lacks our code, or a worker has other
    files.
    """
    given = scheduler
    with ExitStack() as opened:
        if not scheduler:
            # What multiprocessing would say after an interrupt. `building` sets it back.
            os.environ["PYTHONWARNINGS"] = "ignore::UserWarning:multiprocessing.resource_tracker"
            quiet = {"silence_logs": "CRITICAL", "dashboard_address": None, "memory_limit": 0}
            cluster = LocalCluster(threads_per_worker=1, **quiet)
            scheduler = opened.enter_context(cluster).scheduler_address
        try:
            client = opened.enter_context(Client(scheduler, timeout=ANSWER, set_as_default=False))
        except (OSError, ValueError) as error:
            raise BuildError(f"{scheduler}: no scheduler answers there ({error})") from None
        _require_code(client, scheduler)
        if not client.scheduler_info()["workers"]:
            print(f"{scheduler}: no worker is there yet; waiting for the first", file=sys.stderr)
            client.wait_for_workers(1)
        _require_same_files(client, cache)
        client.register_plugin(Warm(bool(given)))
        opened.callback(client.unregister_worker_plugin, Warm.name)
        yield Crew(client.get_executor(pure=False), _managers, bar=False)


def _require_code(client: Client, scheduler: str) -> None:
    """Raises BuildError where the scheduler, which opens each task, cannot load our code."""
    try:
        client.run_on_scheduler(code_digest)
    except Exception as error:  # whatever its own process raises
        told = f"{type(error).__name__}: {' '.join(str(error).split())}"
        need = "give it and its workers PYTHONPATH, the folder of Plateau"
        raise BuildError(
            f"{scheduler}: cannot load the code of the book ({told}); {need}"
        ) from None


def _require_same_files(client: Client, cache: Path) -> None:
    """Raises BuildError where a worker does not see the cache, or has other code or packages."""
    cache.mkdir(exist_ok=True)
    mark, here = cache / f"seen-{uuid4().hex}", code_digest()
    mark.touch()
    try:
        for worker, found in client.run(_sees, mark, on_error="return").items():
            if isinstance(found, Exception):
                said = f"cannot load the code of the book: {type(found).__name__}: {found}"
            elif found != (True, here):
                said = "has other code or packages" if found[0] else f"does not see {cache}"
            else:
                continue
            raise BuildError(f"worker {worker}: {said}; all need the same folders under one name")
    finally:
        mark.unlink()
