"""Runs one notebook and leaves nothing in it that a page or a second run should not see."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import nbformat
import papermill
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from papermill.execute import ERROR_MARKER_TAG

from ..course.learner import without_answers
from ..dataset.model import ROOT, NoColumn, NotRecorded
from .kernels import SINGLE, Forked, Server
from .processes import python

NOT_RECORDED = "not-recorded"  # the note at which a page ends, of which the dataset has nothing
ENDINGS = {NotRecorded.__name__, NoColumn.__name__}  # the errors with which a page ends so
ANY_DATA = "any-data"  # the tag of cells that follow such a note all the same
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "pygments_lexer": "ipython3"},
}


class NotebookError(RuntimeError):
    """A notebook stopped; the text is one line with the error and the cell."""


class ThisInterpreter(AsyncKernelManager):
    """Starts kernels of the interpreter that runs the build, whatever else is installed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if os.name == "posix":
            # Socket files of its own: a TCP port found free may be taken before it is used.
            self._sockets = tempfile.TemporaryDirectory(prefix="kernel-")
            self.transport, self.ip = "ipc", os.path.join(self._sockets.name, "socket")

    async def start_kernel(self, **options: Any) -> None:
        """Start it with its raw stderr closed: what ZeroMQ says of a kernel's end is no result.

        What a cell writes to stderr goes into the notebook by another way.
        """
        await super().start_kernel(stderr=subprocess.DEVNULL, **options)

    @property
    def kernel_spec(self) -> KernelSpec:
        """The kernel's command line. It keeps no history: many would share the file."""
        run = python("from ipykernel.kernelapp import launch_new_instance as run; run()")
        options = ["-f", "{connection_file}", "--log-level=50", "--HistoryManager.enabled=False"]
        return KernelSpec(argv=[*run, *options], display_name="Python 3", language="python")


class Copied(ThisInterpreter):
    """Starts kernels as copies of the process `server`: at once, when that one is there."""

    server: Server

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.provisioner = Forked(kernel_spec=self.kernel_spec, parent=self)


def copies_of(server: Server) -> type[Copied]:
    """The manager whose kernels are copies of `server`."""
    return type("Copied", (Copied,), {"server": server})


def parameters_of(notebook: Path) -> set[str]:
    """Names that the notebook's cell tagged `parameters` sets."""
    return set(papermill.inspect_notebook(_literally(notebook)))


def _literally(path: Path) -> str:
    """A path as papermill takes it, to which braces are places for parameters."""
    return str(path).replace("{", "{{").replace("}", "}}")


def execute(
    notebook: Path,
    target: Path,
    parameters: dict[str, Any],
    kernels: type[ThisInterpreter] = ThisInterpreter,
) -> nbformat.NotebookNode:
    """Run a notebook from the repository's root; `target` is a file that papermill may use.

    A NotRecorded ends the page with the sentence that it carries. Only cells tagged `any-data`
    follow, which need nothing of the cell that raised it, nor of those between. Any other error
    raises NotebookError. Where counts are masked, no exercise is answered. Several threads may call
    it at once: the process stays in ROOT.
    """
    os.environ.update(SINGLE)
    os.chdir(ROOT)
    executed, missing = _run(notebook, target, parameters, kernels)
    source, again = nbformat.read(notebook, as_version=4), target.with_name("again.ipynb")
    while missing is not None:
        executed = _ended_at_error(executed, missing)
        later = _whatever_the_data(source, executed)
        if not any(cell.cell_type == "code" for cell in later):
            executed.cells += later
            break
        there = {cell.id: cell for cell in source.cells}
        before = [there.get(cell.id, cell) for cell in executed.cells if not _injected(cell)]
        source.cells = [*before, *later]
        nbformat.write(source, again)
        executed, missing = _run(again, target, parameters, kernels)
        again.unlink()
    cleaned = _clean(executed)
    return without_answers(cleaned) if parameters.get("mask_below") else cleaned


def _run(
    notebook: Path, target: Path, parameters: dict[str, Any], kernels: type[ThisInterpreter]
) -> tuple[nbformat.NotebookNode, str | None]:
    """The executed notebook, and the sentence of the NotRecorded that stopped it, if one did."""
    try:
        executed = papermill.execute_notebook(
            _literally(notebook),
            _literally(target),
            parameters,
            kernel_name="python3",
            kernel_manager_class=kernels,
            coalesce_streams=True,  # what a cell prints comes in pieces, by chance
            request_save_on_cell_execute=False,  # all of it, twice a cell: a fifth of a build
            progress_bar=False,
        )
    except papermill.PapermillExecutionError as error:
        if error.ename not in ENDINGS:
            cell = (error.source.strip().splitlines() or ["an empty cell"])[0]
            what = " ".join(f"{error.ename}: {error.evalue}".split())
            raise NotebookError(f"{what} (in the cell “{cell}”)") from None
        return nbformat.read(target, as_version=4), error.evalue
    except RuntimeError:  # DeadKernelError, or a kernel that never answered
        raise NotebookError("its kernel died; the machine may be short of memory") from None
    return executed, None


def serialise(notebook: nbformat.NotebookNode) -> str:
    """The text of a notebook file: the same for the same content."""
    return nbformat.writes(notebook, version=4) + "\n"


def _ended_at_error(notebook: nbformat.NotebookNode, sentence: str) -> nbformat.NotebookNode:
    """The cells before the one that failed, then the sentence as a note, unless it is there."""
    own = [c for c in notebook.cells if ERROR_MARKER_TAG not in c.metadata.get("tags", [])]
    failed = [any(o.output_type == "error" for o in cell.get("outputs", [])) for cell in own]
    kept = own[: failed.index(True)]
    # The sentence holds a dataset's own words: text, never markup.
    escaped = re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(sentence.split()))
    words = f":::{{note}}\n{escaped}\n:::"
    notes = [cell for cell in kept if cell.id.startswith(NOT_RECORDED)]
    if words not in [note.source for note in notes]:
        name = f"{NOT_RECORDED}-{len(notes) + 1}" if notes else NOT_RECORDED
        kept.append(nbformat.v4.new_markdown_cell(words, id=name))
    notebook.cells = kept
    return notebook


def _whatever_the_data(
    source: nbformat.NotebookNode, ended: nbformat.NotebookNode
) -> list[nbformat.NotebookNode]:
    """Of a notebook that has ended at an error, the later cells that need nothing of the data."""
    done = {cell.id for cell in ended.cells}
    failed = next(place for place, cell in enumerate(source.cells) if cell.id not in done)
    later = source.cells[failed + 1 :]
    return [cell for cell in later if ANY_DATA in cell.metadata.get("tags", [])]


def _injected(cell: nbformat.NotebookNode) -> bool:
    return "injected-parameters" in cell.metadata.get("tags", [])


def _clean(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Without times, versions and machine names; its parameters are those that it ran with."""
    notebook.metadata.pop("papermill", None)
    notebook.metadata.update(METADATA)
    for cell in notebook.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
    tagged = {tag: cell for cell in notebook.cells for tag in cell.metadata.get("tags", [])}
    if given := tagged.get("injected-parameters"):
        notebook.cells.remove(given)
        own = tagged["parameters"]
        own.source = _with_values(own.source, given.source)
    return notebook


def _with_values(assigned: str, given: str) -> str:
    """Lines of `name = value`, with the values of those that are given."""
    values = dict(line.split(" = ", 1) for line in given.splitlines() if " = " in line)
    lines = (line.split(" = ", 1) for line in assigned.splitlines())
    return "\n".join(" = ".join([name, values.get(name, *value)]) for name, *value in lines)
