"""Long computations in pieces: by this process, and from the other end by workers that are free.

What comes of a piece depends on what it is given alone, so that who does it changes no number.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import starmap
from typing import Any

WORKERS = "PLATEAU_WORKERS"  # in the environment: the address of a Dask scheduler, where one helps
WORTH = 10.0  # seconds of work that are left, from which on it pays to ask for help
ANSWER = 5  # seconds in which a scheduler answers


def in_pieces(task: Callable[..., Any], pieces: Sequence[tuple]) -> Iterator[Any]:
    """What comes of each piece, in order. A task that may go to a worker is known by its module."""
    took, done = 0.0, 0
    while done < len(pieces):
        if os.environ.get(WORKERS) and done and took / done * (len(pieces) - done) > WORTH:
            yield from _helped(task, pieces[done:])
            return
        begin = time.perf_counter()
        found = task(*pieces[done])
        took, done = took + time.perf_counter() - begin, done + 1
        yield found


def _helped(task: Callable[..., Any], pieces: Sequence[tuple]) -> Iterator[Any]:
    """The same, where workers begin at the end. What none of them has done by then is done here.

    So nothing waits for a worker: all of them may be busy, with this very page as well.
    """
    from distributed import Client  # slow to import, and seldom needed

    try:
        client = Client(os.environ[WORKERS], timeout=ANSWER, set_as_default=False)
    except (OSError, ValueError):
        yield from starmap(task, pieces)
        return
    with client:
        asked = [client.submit(task, *piece, pure=False) for piece in reversed(pieces)]
        for piece in pieces:
            future = asked.pop()
            if future.status == "finished":
                try:
                    found = future.result(ANSWER)
                except Exception:  # its worker died with it
                    found = task(*piece)
            else:
                future.cancel()
                found = task(*piece)
            yield found
