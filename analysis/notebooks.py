"""Runs one notebook and leaves nothing in it that a page or a second run should not see."""

from __future__ import annotations

import multiprocessing
import os
import re
import threading
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import nbformat
import papermill
from ipykernel.kernelapp import launch_new_instance
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from nbclient.exceptions import DeadKernelError
from papermill.execute import ERROR_MARKER_TAG

from .dataset import ROOT, NotRecorded

# One thread each: several notebooks share the cores, and sums then do not depend on their number.
SINGLE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "pygments_lexer": "ipython3"},
}


class NotebookError(RuntimeError):
    """A notebook stopped; the text is one line with the error and the cell."""


def _kernel(connection_file: str) -> None:
    """Be a kernel: the work of a process that starts with everything imported."""
    os.chdir(ROOT)
    os.setsid()  # Ctrl-C is for the build
    threading.Thread(target=_end_with_the_build, daemon=True).start()
    launch_new_instance(argv=["-f", connection_file, "--log-level=50"])


def _end_with_the_build() -> None:
    """A kernel whose build was killed has nobody left to stop it."""
    multiprocessing.parent_process().join()
    os._exit(1)


class _Forked:
    """A process of multiprocessing with the face of a Popen, which jupyter_client expects."""

    stdin = stdout = stderr = None

    def __init__(self, *arguments: str) -> None:
        self.process = FORKS.Process(target=_kernel, args=arguments)
        self.process.start()
        self.pid = self.process.pid
        self.kill, self.terminate = self.process.kill, self.process.terminate

    def poll(self) -> int | None:
        return self.process.exitcode

    def wait(self) -> int | None:
        self.process.join()
        return self.process.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)


class ThisInterpreter(AsyncKernelManager):
    """Starts kernels of the interpreter that runs the build, whatever else is installed.

    Importing pandas, lifelines and Altair takes longer than most notebooks. So one process imports
    them once, and each kernel is a fork of it (where the system can fork).
    """

    @property
    def kernel_spec(self) -> KernelSpec:
        """The kernel's command line, for systems that cannot fork."""
        return KernelSpec(**get_kernel_dict(["--log-level=50"]))

    async def _async_launch_kernel(self, kernel_cmd: list[str], **options: Any) -> None:
        if FORKS is None:
            return await super()._async_launch_kernel(kernel_cmd, **options)
        self.provisioner.process = _Forked(self.connection_file)
        self._reconcile_connection_info(self.provisioner.connection_info)
        return None


def _forks() -> BaseContext | None:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return None
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["analysis.notebooks", "analysis.charts", "analysis.results"])
    return context


FORKS = _forks()


def parameters_of(notebook: Path) -> set[str]:
    """Names that the notebook's cell tagged `parameters` sets."""
    return set(papermill.inspect_notebook(str(notebook)))


def execute(notebook: Path, target: Path, parameters: dict[str, Any]) -> nbformat.NotebookNode:
    """Run a notebook from the repository's root; `target` is a file that papermill may use.

    A NotRecorded ends the page with the sentence that it carries; any other error raises
    NotebookError. Several threads may call it at once: the process stays in ROOT.
    """
    os.environ.update(SINGLE)
    os.chdir(ROOT)
    try:
        executed = papermill.execute_notebook(
            notebook,
            target,
            parameters,
            kernel_name="python3",
            kernel_manager_class=ThisInterpreter,
            progress_bar=False,
        )
    except papermill.PapermillExecutionError as error:
        if error.ename != NotRecorded.__name__:
            cell = (error.source.strip().splitlines() or ["an empty cell"])[0]
            what = " ".join(f"{error.ename}: {error.evalue}".split())
            raise NotebookError(f"{what} (in the cell “{cell}”)") from None
        executed = _ended_at_error(nbformat.read(target, as_version=4), error.evalue)
    except DeadKernelError:
        raise NotebookError("its kernel died; the machine may be short of memory") from None
    return _clean(executed)


def serialise(notebook: nbformat.NotebookNode) -> str:
    """The text of a notebook file: the same for the same content."""
    return nbformat.writes(notebook, version=4) + "\n"


def _ended_at_error(notebook: nbformat.NotebookNode, sentence: str) -> nbformat.NotebookNode:
    """The cells before the one that failed, then the sentence as a note."""
    own = [c for c in notebook.cells if ERROR_MARKER_TAG not in c.metadata.get("tags", [])]
    failed = [any(o.output_type == "error" for o in cell.get("outputs", [])) for cell in own]
    # The sentence holds a dataset's own words: text, never markup.
    escaped = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(sentence.split()))
    note = nbformat.v4.new_markdown_cell(f":::{{note}}\n{escaped}\n:::", id="not-recorded")
    notebook.cells = [*own[: failed.index(True)], note]
    return notebook


def _clean(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Without times, versions and machine names; the cell of injected parameters stays unseen."""
    notebook.metadata.pop("papermill", None)
    notebook.metadata.update(METADATA)
    for cell in notebook.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.metadata["tags"].append("remove-cell")
            cell.id = "injected-parameters"
    return notebook
