"""Time of one stepwise selection: rows sorted once for all its models, against once for each.

    python benchmarks/selection.py

Both keep the same factors of each shipped dataset. The ratio is what to compare between machines
and versions; the best of three runs is taken.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from analysis import load  # noqa: E402 (the path comes first)
from analysis.dataset.covariates import covariate_rows
from analysis.dataset.endpoints import endpoint  # noqa: E402
from analysis.study.models import SELECTION_LEVEL, factors_of  # noqa: E402
from analysis.survival import cox, score_p, stepwise  # noqa: E402


def one_by_one(rows: pd.DataFrame, candidates: Sequence[str]) -> list[str]:
    """The same rule with a model of its own for each question."""
    kept: list[str] = []
    seen = set()
    while frozenset(kept) not in seen:
        seen.add(frozenset(kept))
        p = {c: score_p(rows, kept, c) for c in candidates if c not in kept}
        strong = sorted((c for c in p if p[c] < SELECTION_LEVEL), key=p.get)
        entered = next(([*kept, c] for c in strong if cox(rows, [*kept, c]).estimable), None)
        if entered is None:
            break
        kept = entered
        while kept and (weak := cox(rows, kept).summary()["p"]).max() >= SELECTION_LEVEL:
            kept = [column for column in kept if column != weak.idxmax()]
    return kept


def seconds(run: Callable[[], list[str]]) -> tuple[float, list[str]]:
    """The best of three runs, and what it keeps."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        kept = run()
        times.append(time.perf_counter() - began)
    return min(times), kept


def main() -> None:
    """Print a line for each shipped dataset."""
    for name in ("blinatumomab", "bmt", "myeloid"):
        data = load(f"data/{name}")
        question = endpoint(data, "os")
        factors = factors_of(data, question)
        rows, columns = covariate_rows(data, question, factors), [f.column for f in factors]
        once, kept = seconds(lambda rows=rows, columns=columns: stepwise(rows, columns))
        each, same = seconds(lambda rows=rows, columns=columns: one_by_one(rows, columns))
        assert kept == same
        print(f"{name:13} {1000 * once:6.1f} ms against {1000 * each:6.1f} ms: {each / once:.1f}x")


if __name__ == "__main__":
    main()
