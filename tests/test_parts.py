"""A table in parts: folded, whoever folds it, to what its patients one by one give."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, command
from inprocess import run
from test_build import small_book, write_notebook

from analysis.__main__ import main
from analysis.dataset import model, parts
from analysis.dataset.checks import read_folder
from analysis.dataset.model import load
from analysis.dataset.problems import DataError
from analysis.page import page as opening
from analysis.site import build, folds
from analysis.study.advice import check
from analysis.survival import pieces, resampling

KEYS = ["quantity", "group", "months"]


def patients_of(name: str) -> pd.DataFrame:
    """The patients of a shipped dataset, each several times, in no order."""
    table = ROOT / "data" / name / "patients.csv"
    found = pd.read_csv(table, dtype=str, keep_default_na=False)
    times = np.random.default_rng(3).integers(1, 5, len(found))
    again = found.loc[found.index.repeat(times)].sample(frac=1, random_state=1)
    return again.reset_index(drop=True).assign(patient_id=lambda rows: rows.index.map("x{}".format))


def dataset(
    place: Path,
    name: str,
    path: str,
    change: Callable[[dict], None] = lambda package: None,
) -> Path:
    """A folder with the package of a shipped dataset, whose table lies at a path."""
    folder = place / name
    folder.mkdir(parents=True)
    package = json.loads((ROOT / "data" / name / "datapackage.json").read_text("utf-8"))
    package["resources"][0]["path"] = path
    change(package)
    (folder / "datapackage.json").write_text(json.dumps(package), "utf-8")
    return folder


def in_parts(place: Path, name: str = "bmt", patients: pd.DataFrame | None = None) -> Path:
    """A shipped dataset in three files, one of them empty."""
    patients = patients_of(name) if patients is None else patients
    folder = dataset(place, name, "patients.parquet")
    (folder / "patients.parquet" / "more").mkdir(parents=True)
    half = len(patients) // 2
    for file, rows in {"a": patients[:half], "b": patients[:0], "more/c": patients[half:]}.items():
        rows.to_parquet(folder / "patients.parquet" / f"{file}.parquet")
    return folder


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A dataset with a row a patient, sorted by group, and the same in parts."""
    place, patients = tmp_path_factory.mktemp("both"), patients_of("bmt")
    single = dataset(place / "single", "bmt", "patients.csv")
    # The groups of pairs are named in the order in which they come.
    by = json.loads((single / "datapackage.json").read_text("utf-8"))["analysis"]["compare"]
    patients.sort_values(by["column"]).to_csv(single / "patients.csv", index=False)
    return single, in_parts(place / "several", patients=patients)


# --- what pages make of it -----------------------------------------------------------------------


NAMES = ["figure_1a", "figure_1d", "states", "patients", "table_1", "table_2", "table_3"]
EACH_DAY = {("figure_1a", 30), ("figure_1d", 0), ("states", 0), ("table_1", 30)}


@pytest.mark.parametrize(
    ("name", "mask_below"),
    [
        pytest.param(name, least, marks=[] if (name, least) in EACH_DAY else pytest.mark.wide)
        for name in NAMES
        for least in (0, 30)
    ],
)
def test_a_page_finds_the_numbers_of_the_patients_one_by_one(both, tmp_path, name, mask_below):
    """Its masks count patients, too."""
    numbers = []
    for folder in both:
        made = run(name, folder, tmp_path / folder.parent.name, mask_below=mask_below)
        numbers.append(made.numbers.sort_values(KEYS, ignore_index=True))
    assert len(numbers[0]) >= 12 and numbers[0]["n"].max() == len(patients_of("bmt"))
    pd.testing.assert_frame_equal(*numbers, rtol=1e-9, atol=1e-12)


def test_rows_are_of_patients_alike(both):
    found, single = load(both[1], folded=True), load(both[0])
    assert len(found.patients) == 137 < found.size == len(single.patients)
    assert "patient_id" not in found.patients and not found.patients.duplicated().any()
    alike = single.patients.drop(columns="patient_id").fillna("").astype(str)
    expected = alike.value_counts().to_dict()
    texts = found.patients.fillna("").astype(str).itertuples(index=False)
    assert dict(zip(map(tuple, texts), found.number, strict=True)) == expected


def test_who_does_not_ask_for_a_folded_table_gets_patients(both, monkeypatch):
    everybody = load(both[1])
    assert everybody.number is None and not everybody.drawn_from
    columns = [name for name in everybody.patients]
    pd.testing.assert_frame_equal(
        everybody.patients.sort_values(columns, ignore_index=True),
        load(both[0]).patients[columns].sort_values(columns, ignore_index=True),
    )
    assert (load(both[1], most=50).drawn_from, load(both[1], most=50, folded=True).number) == (
        everybody.size,
        None,
    )


def test_a_page_of_patients_who_are_drawn_says_so(both, tmp_path, monkeypatch):
    monkeypatch.setattr(model, "MOST_UNFOLDED", 60)
    shown = []
    monkeypatch.setattr(opening, "display", shown.append)
    drawn = opening.open_page("x", str(both[1]), str(tmp_path))
    whole = opening.open_page("x", str(both[1]), str(tmp_path), folded=True)
    assert len(drawn.data.patients) == 60 and drawn.data.size == whole.data.size
    (said,) = shown
    assert f"This page is about 60 of the {whole.data.size} patients" in str(said)


def test_patients_are_drawn_alike_often(monkeypatch):
    number = pd.Series([1, 1000, 0, 99_000, 400_000])
    rows, everybody = model.one_by_one(number, 50_000)
    drawn = np.bincount(rows, minlength=5)
    assert everybody == number.sum() and drawn.sum() == 50_000 and (drawn <= number).all()
    assert np.allclose(drawn / 50_000, number / everybody, atol=0.01)


def test_a_page_without_numbers_of_patients_gets_none():
    """Each page that asks for a folded table counts with it; the lessons and Methods do not.

    Nor does a page of events that come again: it needs each patient's own.
    """
    asks = {path.stem for path in build.notebooks() if "folded=True)" in path.read_text("utf-8")}
    others = {path.stem for path in build.notebooks()} - asks
    of_pages = {name for name in others if not name.startswith("lesson_")}
    assert of_pages == {"methods", "cohort", "recurrent"}


def test_check_counts_patients_and_warns_of_some_who_are_drawn(both):
    single, several = (check(folder)[0] for folder in both)
    assert several[2:6] == single[2:6]
    assert [line for line in several if line.startswith("  ")] == [
        line for line in single if line.startswith("  ")
    ]


# --- a column of numbers -------------------------------------------------------------------------


def counted(place: Path, number: list[str], change=lambda package: None) -> Path:
    """A table of text whose rows are of several patients."""

    def declare(package: dict) -> None:
        package["analysis"]["number"] = "how_many"
        fields = package["resources"][0]["schema"]["fields"]
        fields[:] = [field for field in fields if field["name"] != "patient_id"]
        fields.append({"name": "how_many"})
        change(package)

    folder = dataset(place, "bmt", "patients.csv", declare)
    patients = pd.read_csv(ROOT / "data" / "bmt" / "patients.csv", dtype=str)
    patients = patients.drop(columns="patient_id").head(len(number)).assign(how_many=number)
    patients.to_csv(folder / "patients.csv", index=False)
    return folder


def test_a_table_may_say_of_how_many_patients_its_rows_are(tmp_path):
    found = load(counted(tmp_path, ["3", "1", "20"]), folded=True)
    assert found.number.tolist() == [3, 1, 20] and found.size == 24
    assert "how_many" not in found.patients
    assert "how_many" not in {entry.column for entry in found.characteristics}


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "", "many"])
def test_a_number_of_patients_is_whole_and_at_least_one(tmp_path, number):
    with pytest.raises(DataError, match="patients.csv, row 3, column how_many"):
        load(counted(tmp_path, ["3", number, "20"]))


def test_the_column_of_numbers_is_there_and_nothing_else(tmp_path):
    def other(package: dict) -> None:
        package["analysis"]["number"] = "how_manny"

    def factor(package: dict) -> None:
        package["analysis"]["factors"] = [{"column": "how_many", "kind": "baseline"}]

    with pytest.raises(DataError, match='number: found "how_manny".*did you mean how_many'):
        load(counted(tmp_path / "a", ["3"], other))
    with pytest.raises(DataError, match="expected a column that is asked for nothing else"):
        load(counted(tmp_path / "b", ["3"], factor))


# --- checks --------------------------------------------------------------------------------------


def refused(folder: Path) -> list[str]:
    with pytest.raises(DataError) as caught:
        load(folder)
    return caught.value.problems


def changed(place: Path, change: Callable[[pd.DataFrame], pd.DataFrame], file: str = "more/c"):
    folder = in_parts(place)
    path = folder / "patients.parquet" / f"{file}.parquet"
    change(pd.read_parquet(path)).to_parquet(path)
    return folder


def test_what_is_wrong_is_named_by_file_row_and_column(tmp_path):
    def wrong(rows: pd.DataFrame) -> pd.DataFrame:
        rows.loc[4, "died"] = "maybe"
        rows.loc[7, "last_contact_day"] = "soon"
        rows.loc[9, ["relapse_day", "last_contact_day"]] = "90", "80"
        return rows

    folder = changed(tmp_path, lambda rows: wrong(rows.reset_index(drop=True)))
    said = refused(folder)
    file = "patients.parquet/more/c.parquet"
    assert f'{file}, row 5, column died: found "maybe", expected yes or no' in said
    assert any(
        line.startswith(f'{file}, row 8, column last_contact_day: found "soon"') for line in said
    )
    assert any(line.startswith(f"{file}, row 10, column relapse_day: found") for line in said)
    assert len(said) == 3


def test_the_first_of_many_are_named(tmp_path):
    number = iter(range(1000))
    folder = changed(
        tmp_path, lambda rows: rows.assign(died=[f"no {next(number)}" for _ in rows.index])
    )
    said = refused(folder)
    assert [line.split(",")[1] for line in said[:20]] == [f" row {row}" for row in range(1, 21)]
    assert said[20:] == ["patients.parquet, column died: more rows, expected yes or no"]


def test_an_identifier_that_stands_twice_is_found_in_other_files_too(tmp_path, monkeypatch):
    first = pd.read_parquet(in_parts(tmp_path / "x") / "patients.parquet" / "a.parquet")
    twice = first["patient_id"].iloc[3]
    folder = changed(
        tmp_path, lambda rows: rows.assign(patient_id=[twice, *rows["patient_id"].iloc[1:]])
    )
    for at_once in (parts.IDS, 50):  # in one go, and in several
        monkeypatch.setattr(parts, "IDS", at_once)
        (said,) = refused(folder)
        assert said == (
            f'patients.parquet/more/c.parquet, row 1, column patient_id: found "{twice}", '
            "expected a value that no other row has"
        )


def test_equal_hashes_are_no_equal_identifiers(tmp_path, monkeypatch):
    monkeypatch.setattr(
        pd.util, "hash_array", lambda texts, **_: np.zeros(len(texts), dtype=np.uint64)
    )
    assert load(in_parts(tmp_path), folded=True).size == len(patients_of("bmt"))


def test_parts_need_no_identifiers_where_they_are_not_described(tmp_path):
    folder = in_parts(tmp_path, patients=patients_of("bmt").drop(columns="patient_id"))
    assert refused(folder)[0].endswith(
        "column patient_id is missing; datapackage.json describes it"
    )
    package = json.loads((folder / "datapackage.json").read_text("utf-8"))
    del package["resources"][0]["schema"]["fields"][0]
    (folder / "datapackage.json").write_text(json.dumps(package), "utf-8")
    assert load(folder, folded=True).size == len(patients_of("bmt"))


def test_a_column_that_nothing_asks_for_is_checked_and_left_out(tmp_path):
    folder = in_parts(tmp_path)
    package = json.loads((folder / "datapackage.json").read_text("utf-8"))
    analysis = package["analysis"]
    asked = {entry["column"] for entry in analysis["characteristics"] + analysis["factors"]}
    fields = package["resources"][0]["schema"]["fields"]
    fields.append({"name": "note", "type": "integer"})
    (folder / "datapackage.json").write_text(json.dumps(package), "utf-8")
    for path in (folder / "patients.parquet").rglob("*.parquet"):
        rows = pd.read_parquet(path)
        rows.assign(note=range(len(rows))).to_parquet(path)
    found = load(folder, folded=True)
    assert "note" not in asked and "note" not in found.patients and len(found.patients) == 137
    rows.assign(note="x").to_parquet(path)
    assert "column note" in refused(folder)[0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: shutil.rmtree(table / "more"), None),
        (lambda table: [path.unlink() for path in table.rglob("*.parquet")], "no file that ends"),
        (lambda table: (table / "a.parquet").write_bytes(b"PAR1"), "cannot be read as Parquet"),
        (lambda table: (table / "more").rename(table / "sex=f"), "a folder that names no value"),
        (lambda table: (table / "d.parquet").symlink_to("/etc/hosts"), "no link out of it"),
    ],
    ids=["fewer", "none", "no Parquet", "a value in a name", "a link"],
)
def test_a_folder_of_other_files_is_refused(tmp_path, change, said):
    folder = in_parts(tmp_path)
    change(folder / "patients.parquet")
    if said is None:
        assert load(folder, folded=True).size == len(patients_of("bmt")) // 2
    else:
        (line,) = refused(folder)
        assert said in line and str(tmp_path) not in line


def test_too_many_rows_that_differ_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "MOST_ROWS", 100)
    (line,) = refused(in_parts(tmp_path))
    assert "more than 100 rows that differ in what the analysis asks for" in line


def test_dates_of_a_spreadsheet_are_seen_in_the_whole_column_only(tmp_path):
    folder = changed(tmp_path, lambda rows: rows.assign(last_contact_day="30000"))
    assert read_folder(folder).problems == []
    for path in (folder / "patients.parquet").rglob("*.parquet"):
        pd.read_parquet(path).assign(last_contact_day="30000").to_parquet(path)
    assert "all are 20000 or more" in refused(folder)[0]


def test_types_may_differ_from_file_to_file(tmp_path):
    """A column of whole numbers is one of decimals where a file has a blank."""
    folder = in_parts(tmp_path)
    expected = load(folder, folded=True)
    for path in (folder / "patients.parquet").rglob("*.parquet"):
        rows = pd.read_parquet(path)
        days = [name for name in rows if name.endswith("_day")]
        rows.assign(**rows[days].apply(pd.to_numeric)).to_parquet(path)
    pd.testing.assert_frame_equal(load(folder, folded=True).patients, expected.patients)


# --- who folds it --------------------------------------------------------------------------------


def test_batches_and_workers_change_nothing(both, monkeypatch):
    expected = read_folder(both[1])
    monkeypatch.setattr(parts, "BATCH", 7)
    with ThreadPoolExecutor(3) as pool:
        found = read_folder(both[1], folds.spread(pool))
    pd.testing.assert_frame_equal(found.text, expected.text)


def test_what_is_folded_is_a_dataset_in_the_cache(both, tmp_path):
    with ThreadPoolExecutor(2) as pool:
        place = folds.folded(both[1], tmp_path, "code", pool)
        assert folds.folded(both[1], tmp_path, "code", pool) == place
        assert folds.folded(both[1], tmp_path, "other code", pool) != place
        assert folds.folded(both[0], tmp_path, "code", pool) == both[0]
    found, expected = load(place, folded=True), load(both[1], folded=True)
    pd.testing.assert_frame_equal(found.patients, expected.patients)
    assert found.number.tolist() == expected.number.tolist()
    assert place.name == "bmt" and build.Book("", place).shown == "bmt"


COUNT = """from pathlib import Path
from analysis.dataset.model import load
data = load(dataset, folded=True)
Path(results_folder, "count.csv").write_text(f"n\\n{data.size}\\n{len(data.patients)}\\n")
print(dataset)"""


@pytest.mark.wide
@pytest.mark.parametrize("given", ["book", "books"])
def test_a_book_of_a_dataset_in_parts(tmp_path, given):
    root = small_book(tmp_path / "book")
    for name in ("count", "response"):
        write_notebook(root / "book" / f"{name}.ipynb", name.title(), COUNT)
    folder, out = in_parts(tmp_path / "sites"), root / "_build"
    chosen = ["--dataset", folder] if given == "book" else [folder]
    for _ in range(2):
        result = command(root, given, *chosen, "--out", out)
        assert (result.returncode, result.stderr) == (0, "")
    own = "" if given == "book" else "bmt"
    assert (out / "results" / own / "count.csv").read_text() == "n\n341\n137\n"
    page = (out / "html" / own / "count.html").read_text("utf-8")
    assert str(tmp_path) not in page and "cache" not in page
    if given == "book":
        assert "0 notebooks run" in result.stdout
    else:
        assert "bmt: 341 patients" in result.stdout


def killing(once: Path, task: Callable, *given: object) -> object:
    """A task whose worker dies, once."""
    if not once.exists():
        once.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return task(*given)


@pytest.fixture(scope="module")
def client() -> Iterator:
    """Two workers of one thread each."""
    from distributed import Client, LocalCluster

    quiet = {"silence_logs": "CRITICAL", "dashboard_address": None}
    with (
        LocalCluster(2, threads_per_worker=1, **quiet) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.mark.wide
def test_a_worker_that_is_killed_changes_no_fold(both, tmp_path, client):
    expected = read_folder(both[1])
    once, each = tmp_path / "killed", folds.spread(client.get_executor(pure=False))

    def dangerous(task: Callable, given: Iterable[tuple]) -> Iterator:
        return each(killing, ((once, task, *arguments) for arguments in given))

    found = read_folder(both[1], dangerous)
    assert once.exists() and found.problems == []
    pd.testing.assert_frame_equal(found.text, expected.text)


# --- work in pieces ------------------------------------------------------------------------------


def slow(number: int, once: str) -> int:
    """A piece of work that takes a while; the first worker that begins one dies."""
    if os.environ.get("PARENT") != str(os.getpid()):
        if not Path(once).exists():
            Path(once).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        Path(f"{once}-{number}").touch()
    time.sleep(0.1)
    return number**2


@pytest.mark.wide
def test_workers_help_from_the_end_and_nothing_waits_for_them(tmp_path, client, monkeypatch):
    monkeypatch.setenv(pieces.WORKERS, client.scheduler.address)
    monkeypatch.setenv("PARENT", str(os.getpid()))
    monkeypatch.setattr(pieces, "WORTH", 0)
    given = [(number, str(tmp_path / "killed")) for number in range(60)]
    assert list(pieces.in_pieces(slow, given)) == [number**2 for number in range(60)]
    helped = {int(path.name.partition("-")[2]) for path in tmp_path.glob("killed-*")}
    assert (tmp_path / "killed").exists() and 59 in helped and 0 not in helped


def factors(rows: int) -> pd.DataFrame:
    random = np.random.default_rng(1)
    made = pd.DataFrame(random.integers(0, 2, (rows, 4)) * 1.0, columns=list("abcd"))
    time = random.exponential(np.exp(-made["a"])) * 100
    return made.assign(
        patient=range(rows), start=-np.inf, stop=time, event=random.integers(0, 2, rows)
    )


@pytest.mark.wide
def test_resamples_are_the_same_with_workers(client, monkeypatch):
    rows = factors(200)
    alone = resampling.bootstrap(rows, list("abcd"), 40, 3)
    shuffled = list(resampling.shuffled(rows, list("abcd"), 40, 3))
    monkeypatch.setenv(pieces.WORKERS, client.scheduler.address)
    monkeypatch.setattr(pieces, "WORTH", 0)
    helped = resampling.bootstrap(rows, list("abcd"), 40, 3)
    assert [r.kept for r in helped.resamples] == [r.kept for r in alone.resamples]
    for one, other in zip(helped.resamples, alone.resamples, strict=True):
        assert (one.beta == other.beta).all() and one.slope == other.slope
    assert list(resampling.shuffled(rows, list("abcd"), 40, 3)) == shuffled


def test_without_workers_pieces_are_done_here(monkeypatch):
    monkeypatch.setattr(pieces, "WORTH", 0)
    assert list(pieces.in_pieces(pow, [(2, 3), (3, 2)])) == [8, 9]
    monkeypatch.setenv(pieces.WORKERS, "tcp://127.0.0.1:9")
    monkeypatch.setattr(pieces, "ANSWER", 0.2)
    assert list(pieces.in_pieces(pow, [(2, 3), (3, 2), (2, 2)])) == [8, 9, 4]


def test_the_sum_of_runs_in_pieces_is_all_of_them(monkeypatch):
    rows = factors(60)
    whole = resampling.bootstrap(rows, list("ab"), 7, 3)
    monkeypatch.setattr(resampling, "PIECE", 100)
    again = resampling.bootstrap(rows, list("ab"), 7, 3)
    assert [r.kept for r in whole.resamples] == [r.kept for r in again.resamples]
    assert len(whole.resamples) == 7


def test_a_command_that_is_told_of_a_bad_part_says_it_in_its_lines(tmp_path, capsys):
    folder = changed(tmp_path, lambda rows: rows.assign(died="x"))
    assert main(["check", str(folder)]) == 1
    assert "patients.parquet/more/c.parquet, row 1, column died" in capsys.readouterr().err
