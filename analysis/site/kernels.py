"""Kernels that start at once: copies of one process that has imported what every notebook does.

The imports take longer than most notebooks. They are done once in a server, which does nothing
else and forks a fresh process for each kernel, so no notebook sees what another one did. The
server ends with the build, and a kernel with the server.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner

from ..dataset.model import ROOT, keep
from ..methods import agreement
from ..page import drawing
from .processes import end_with, python

# The rooms that notebooks import from: what the server imports, no copy has to.
OF_PAGES = ("survival", "dataset", "page", "study", "course", "printed", "methods", "sharing")
# One thread each: several notebooks share the cores, and sums then do not depend on their number.
SINGLE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}


class Server:
    """The process that is copied, on Linux. The thread that makes it must outlive it."""

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        self._process = subprocess.Popen(
            python("from analysis.site.kernels import serve; serve()"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env=os.environ | SINGLE,
        )

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def ended(self) -> bool:
        """Whether it runs no more, as when the system was short of memory."""
        return self._process.poll() is not None

    def keep(self, *folders: Path) -> None:
        """Let its next copies know these datasets already, and no other."""
        told = {"keep": list(map(str, folders))}
        with self._one_at_a_time, suppress(OSError):  # whether it has ended, `start` says
            print(json.dumps(told), file=self._process.stdin, flush=True)

    def start(self, *given: Any) -> int:
        """Start a kernel; `given` is what `_be_kernel` takes. Returns the number of its process."""
        try:
            with self._one_at_a_time:
                print(json.dumps(given), file=self._process.stdin, flush=True)
                return int(self._process.stdout.readline())
        except (OSError, ValueError):
            raise RuntimeError("the server of kernels has ended") from None


class Forked(LocalProvisioner):
    """Runs the kernel of a manager in a copy of the manager's server."""

    async def launch_kernel(self, cmd: list[str], **options: Any) -> KernelConnectionInfo:
        """Start it; `cmd` is the command line that would have started it: python -c code …"""
        folder = options.get("cwd") or os.getcwd()
        self.pid = self.parent.server.start(cmd[3:], options["env"], folder)
        self.process = _Running(self.pid)
        return self.connection_info


class _Running:
    """A process as LocalProvisioner knows them, from `subprocess`."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def poll(self) -> int | None:
        try:
            os.kill(self.pid, 0)
        except OSError:
            return 0
        return None

    wait = poll  # asked for only when poll() has said that it ended

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)


def serve() -> None:
    """What the server does: start a kernel for each line of stdin, and answer with its number.

    A line may also name datasets to `keep`, which take the place of all others.
    """
    kernel = [f"ipykernel.{part}" for part in ("kernelapp", "ipkernel", "zmqshell", "debugger")]
    for library in (*kernel, "altair", "lifelines", "scipy.stats"):
        import_module(library)
    for room in OF_PAGES:
        for module in sorted((ROOT / "analysis" / room).glob("[a-z]*.py")):
            import_module(f"analysis.{room}.{module.stem}")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # an ended copy is gone: nobody asks how it went
    server = os.getpid()
    _draw_beside(server)
    os.environ[agreement.PLACE] = tempfile.mkdtemp(prefix="agreement-")
    for line in sys.stdin:
        asked = json.loads(line)
        if isinstance(asked, dict):
            with suppress(Exception):  # what is wrong with one, its notebooks say
                keep(*asked["keep"], alone=True)
            continue
        copy = os.fork()
        if not copy:
            try:
                _be_kernel(server, *asked)
            finally:
                os._exit(0)
        print(copy, flush=True)


def _draw_beside(server: int) -> None:
    """Have one more copy draw the charts of all others, which then know where it is."""
    place = os.path.join(tempfile.mkdtemp(prefix="drawing-"), "socket")
    if not os.fork():
        try:
            end_with(server)
            drawing.serve(place)
        finally:
            os._exit(0)
    os.environ[drawing.PLACE] = place


def _be_kernel(server: int, arguments: list[str], environment: dict[str, str], folder: str) -> None:
    """What a copy does: be a kernel, in a session of its own, until it is told to end."""
    from ipykernel.kernelapp import IPKernelApp

    end_with(server)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()  # an interrupt of the build is no interrupt of a cell
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    os.environ.update(environment)
    os.environ["JPY_PARENT_PID"] = str(server)
    os.chdir(folder)
    IPKernelApp.launch_instance(argv=arguments)
