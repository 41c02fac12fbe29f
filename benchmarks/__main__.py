"""The book, the estimators, many patients and tables in parts, measured in one run: make benchmark.

It takes two hours, on a machine that does nothing else meanwhile. What it finds is kept in
book/speed/, a table each, which the page on speed shows.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .shown import machine, shown

MEASURED = ("book", "estimators", "million", "parts")
PACKAGES = ("numpy", "pandas", "scipy", "altair", "lifelines", "jupyter-book", "dask")


def main() -> None:
    shown("machine", machine(PACKAGES))
    for name in MEASURED:
        script = Path(__file__).with_name(f"{name}.py")
        subprocess.run([sys.executable, str(script)], check=True)


if __name__ == "__main__":
    main()
