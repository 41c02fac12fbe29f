"""The patients.csv of every real dataset is what the script beside it makes.

The synthetic cohort takes minutes to make: it is held against its ledger in test_blinatumomab.py.
"""

import importlib.util
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[1] / "data"
MADE = sorted(script.parent.name for script in DATA.glob("*/make.py"))


def make(name: str) -> str:
    """The text that data/NAME/make.py makes now."""
    spec = importlib.util.spec_from_file_location(f"make_{name}", DATA / name / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.make()


def test_every_shipped_dataset_has_a_script() -> None:
    """Without this, a moved folder would leave the next test with nothing to do."""
    assert set(MADE) == {"bmt", "cgd", "colon", "mgus", "mgus2", "myeloid"}


@pytest.mark.parametrize("name", MADE)
def test_patients_are_what_the_script_makes(name: str) -> None:
    committed = (DATA / name / "patients.csv").read_bytes()
    assert make(name).encode("utf-8") == committed
