"""Make the synthetic cohort: 259 invented records that reproduce the paper's printed numbers.

    python data/blinatumomab/calibration [--work FOLDER] [--seed N]

writes patients.csv and ledger.json into data/blinatumomab. No record describes a real person. The
curves are built exactly (events.py). Then a search finds who has which events and characteristics,
stage by stage, until every number that it may see (printed.py) prints as in the paper. At the end
the book's own code scores the cohort, and a better one that is already there stays.

A run is determined by its seed. It can be interrupted at any time: the same command goes on from
the last checkpoint in FOLDER, to the same end. With numba installed it takes minutes, without it
hours; the result is the same.
"""

import argparse
import hashlib
import json
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cohort
import events
import factors
import moves
import numpy as np
import records
from printed import PUBLISHED, Printed
from search import Progress, Search, anneal
from tqdm import tqdm

HERE = Path(__file__).resolve().parent
DATASET = HERE.parent
ROOT = DATASET.parent.parent
SEED = 2021
MOST_ATTEMPTS = 12
CHECKPOINT_EVERY = 25_000  # steps

Columns = cohort.Columns


@dataclass(frozen=True)
class Stage:
    """A part of the search: how it begins, what it looks for, and when it is done.

    It is done where its search found enough and the book's own stepwise selection confirms `kept`
    for the `statements`, groups of Table 3.
    """

    name: str
    begin: Callable[[Columns, Printed, np.random.Generator], None]
    search: Callable[[Printed, Columns], Search]
    statements: tuple[str, ...] = ()


def begin_events(columns: Columns, printed: Printed, rng: np.random.Generator) -> None:
    """Build the curves, then deal responses."""
    columns |= cohort.columns_of(events.draw(rng))
    cohort.deal_responses(columns, printed, rng)
    cohort.deal_mrd(columns, printed, rng)


def as_they_are(columns: Columns, printed: Printed, rng: np.random.Generator) -> None:
    """Nothing new."""


def simple(name: str, label: str, begin: Callable, *allowed: Callable) -> Stage:
    """A stage for one yes/no factor."""
    return Stage(label, begin, factors.search_factor(name, *allowed))


STAGES = (
    Stage("events", begin_events, moves.search_events),
    Stage("race and t(4;11)", factors.begin_race_and_t_4_11, factors.search_race_and_t_4_11),
    Stage(
        "all of these together",
        as_they_are,
        factors.search_together,
        ("rfs:race", "rfs:t_4_11", "rfs:mrd_response_day"),
    ),
    Stage(
        "performance status",
        factors.begin_ecog,
        factors.search_ecog,
        ("os:ecog", "os:response_day", "os:mrd_response_day"),
    ),
    simple("sex", "sex", factors.begin_sex),
    simple("primary_refractory", "primary refractory", factors.begin_primary_refractory),
    simple(
        "prior_hsct",
        "transplant before",
        factors.begin_prior_hsct,
        factors.no_transplant_before_relapse,
    ),
    simple("salvage_line", "salvage line", factors.begin_salvage_line),
    Stage("bone marrow blasts", factors.begin_blasts, factors.search_number("bone_marrow_blasts")),
    Stage("age", factors.begin_age, factors.search_number("age", factors.young_enough)),
)


# --- checkpoints -----------------------------------------------------------------------------


@dataclass
class Checkpoints:
    """Where a run stands: one file for the stage under way, one for each that is done."""

    folder: Path
    run: str  # the seed, the program and the numbers that it sees

    def path(self, stage: int) -> Path:
        return self.folder / f"{self.run}-{stage}.npz"

    def save(self, stage: int, columns: Columns, **state: object) -> None:
        """Write to the side and swap, so that an interruption leaves the last one whole."""
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = self.path(stage).with_suffix(".part")
        with aside.open("wb") as file:
            np.savez(file, **columns, state=np.array(json.dumps(state)))
        aside.replace(self.path(stage))

    def load(self, stage: int) -> tuple[Columns, dict] | None:
        if not self.path(stage).exists():
            return None
        with np.load(self.path(stage)) as saved:
            columns = {name: saved[name] for name in saved.files if name != "state"}
            return columns, json.loads(str(saved["state"]))


def run_name(seed: int) -> str:
    """Another name for another seed, program or set of visible numbers: no run mixes them."""
    made_of = [str(seed), str(sorted(Printed().texts.items()))]
    made_of += [path.read_text(encoding="utf-8") for path in sorted(HERE.glob("*.py"))]
    return hashlib.sha256("\0".join(made_of).encode()).hexdigest()[:12]


# --- running ---------------------------------------------------------------------------------


def calibrate(seed: int, checkpoints: Checkpoints, stages: tuple[Stage, ...] = STAGES) -> Columns:
    """Every stage in turn, each from where the last one ended."""
    columns: Columns = {}
    for number, stage in enumerate(stages):
        columns = run_stage(number, stage, columns, seed, checkpoints)
    return columns


def run_stage(
    number: int, stage: Stage, before: Columns, seed: int, checkpoints: Checkpoints
) -> Columns:
    """Attempts with fresh draws until nothing is left to improve and the statements hold.

    Raises SystemExit where the attempts are used up.
    """
    columns, state = checkpoints.load(number) or ({}, {"attempt": 0})
    if state.get("done"):
        return columns
    for attempt in range(state["attempt"], MOST_ATTEMPTS):
        resumed = (columns, state) if attempt == state["attempt"] and "step" in state else None
        found = run_attempt(number, stage, before, seed, attempt, resumed, checkpoints)
        if found is not None and confirmed(stage, found):
            checkpoints.save(number, found, attempt=attempt, done=True)
            return found
        tqdm.write(f"{stage.name}: attempt {attempt + 1} did not reach every number")
    raise SystemExit(f"{stage.name}: no attempt of {MOST_ATTEMPTS} reached every printed number")


def run_attempt(
    number: int,
    stage: Stage,
    before: Columns,
    seed: int,
    attempt: int,
    resumed: tuple[Columns, dict] | None,
    checkpoints: Checkpoints,
) -> Columns | None:
    """One search from one draw; None where something is left to improve."""
    rng = np.random.default_rng([seed, number, attempt])
    columns = {name: values.copy() for name, values in before.items()}
    stage.begin(columns, Printed(), rng)
    search = stage.search(Printed(), columns)
    progress = Progress(0, round(search.penalty(columns), 9))
    if resumed:
        saved, state = resumed
        columns |= saved
        progress = Progress(state["step"], state["penalty"])
        rng.bit_generator.state = state["rng"]
    with tqdm(total=search.steps, initial=progress.step, desc=stage.name, unit="step") as bar:

        def report(now: Progress) -> None:
            if now.step % 1000 == 0:
                bar.update(now.step - bar.n)
                bar.set_postfix_str(f"attempt {attempt + 1}, {now.penalty:.2f} % off")
            if now.step % CHECKPOINT_EVERY == 0:
                state = asdict(now) | {"attempt": attempt, "rng": rng.bit_generator.state}
                checkpoints.save(number, columns, **state)

        left = anneal(search, columns, rng, progress, report)
    return columns if left <= search.enough else None


def confirmed(stage: Stage, columns: Columns) -> bool:
    """Whether every record is possible and the book's own selection keeps what the paper's did."""
    if not all(cohort.possible(columns, i) for i in range(len(columns["last"]))):
        return False
    if not stage.statements:
        return True
    kept = kept_by_the_book(columns)
    printed = Printed()
    return all(
        printed.text("kept", group) == ("yes" if kept[group] else "no")
        for group in stage.statements
    )


def kept_by_the_book(columns: Columns) -> dict[str, bool]:
    """The factors that `analysis` keeps, by endpoint and column, of those already dealt."""
    find_the_book()
    import dataclasses

    import pandas as pd

    from analysis import load
    from analysis.study.models import factor_endpoints, factor_results

    dataset = load(DATASET)
    patients = pd.DataFrame(records.for_models(columns))
    known = [f for f in dataset.factors if f.column in patients]
    dataset = dataclasses.replace(dataset, patients=patients, factors=known)
    kept = {}
    for question in factor_endpoints(dataset):
        found = factor_results(dataset, question)
        found = found[found["quantity"] == "kept"]
        kept |= dict(zip(found["group"], found["estimate"] == 1, strict=True))
    return kept


def find_the_book() -> None:
    """Let the package `analysis` of this repository be imported."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))


# --- the end ---------------------------------------------------------------------------------


def score(text: str) -> dict[str, dict[str, int]]:
    """Printed and matched rows of published.csv by kind, as a book of the patients counts them."""
    find_the_book()
    from analysis import load
    from analysis.page.rows import read
    from analysis.printed.scorecard import counted, scorecard
    from analysis.site.build import build

    with tempfile.TemporaryDirectory() as made:
        folder, out = Path(made) / "cohort", Path(made) / "book"
        folder.mkdir()
        for name in ("datapackage.json", "published.csv"):
            shutil.copy(DATASET / name, folder)
        (folder / "patients.csv").write_text(text, encoding="utf-8", newline="")
        build(folder, out, {})
        card = counted(scorecard(load(folder), read(out / "results")))
    groups = card.groupby("kind")["match"]
    return {kind: {"printed": len(rows), "matched": int(rows.sum())} for kind, rows in groups}


def ledger(text: str, seed: int, found: dict[str, dict[str, int]]) -> str:
    """What was made, from what, and how it scored."""

    def digest(data: bytes) -> str:
        return hashlib.sha256(data).hexdigest()

    entries = {
        "seed": seed,
        "patients_sha256": digest(text.encode("utf-8")),
        "published_sha256": digest(PUBLISHED.read_bytes()),
        "score": found,
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    return json.dumps(entries, indent=2) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the synthetic cohort.")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--work", type=Path, default=ROOT / "_build" / "calibration")
    options = parser.parse_args()
    checkpoints = Checkpoints(options.work, run_name(options.seed))
    columns = calibrate(options.seed, checkpoints)
    rng = np.random.default_rng([options.seed, len(STAGES)])
    text = records.text(columns, Printed(), rng)
    found = score(text)
    print(json.dumps(found, indent=2))
    present = score((DATASET / "patients.csv").read_text(encoding="utf-8"))
    if found["calibrated"]["matched"] < present["calibrated"]["matched"]:
        raise SystemExit("The present patients.csv gives more printed numbers; it stays.")
    (DATASET / "patients.csv").write_text(text, encoding="utf-8", newline="")
    (DATASET / "ledger.json").write_text(ledger(text, options.seed, found), encoding="utf-8")


if __name__ == "__main__":
    main()
