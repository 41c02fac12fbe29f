"""Kernels that start at once: copies of one process that has imported what every notebook does.

The imports take longer than most notebooks. They are done once in a server, which does nothing
else and forks a fresh process for each kernel, so no notebook sees what another one did.
"""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing.process import BaseProcess
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner

# The server imports this by name, and so the package with all that it imports.
IMPORTED = [__name__, "ipykernel.kernelapp"]


class Forked(LocalProvisioner):
    """Runs the kernel of a manager in a copy of the server, on Linux."""

    async def launch_kernel(self, cmd: list[str], **options: Any) -> KernelConnectionInfo:
        """Start it; `cmd` is the command line that would have started it."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(IMPORTED)
        arguments = cmd[cmd.index("ipykernel_launcher") + 1 :]
        given = (arguments, options["env"], options.get("cwd") or os.getcwd())
        process = context.Process(target=_serve, args=given, daemon=True)
        process.start()
        self.process, self.pid = _Running(process), process.pid
        return self.connection_info


class _Running:
    """A process as LocalProvisioner knows them, from `subprocess`."""

    stdin = stdout = stderr = None

    def __init__(self, process: BaseProcess) -> None:
        self.process = process

    def poll(self) -> int | None:
        return self.process.exitcode

    def wait(self) -> int | None:
        self.process.join()
        return self.process.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(self.process.pid, number)


def _serve(arguments: list[str], environment: dict[str, str], folder: str) -> None:
    """What the copy does: be a kernel, in a session of its own, until it is told to end."""
    from ipykernel.kernelapp import IPKernelApp

    os.setsid()  # an interrupt of the build is no interrupt of a cell
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    os.environ.update(environment)
    os.environ["JPY_PARENT_PID"] = str(os.getppid())  # it ends when the server does
    os.chdir(folder)
    IPKernelApp.launch_instance(argv=arguments)
