"""What a notebook begins with: a page on a dataset, and the statistics."""

from .site import processes  # noqa: F401, I001  the first of all, for what it sees to

# isort: split
from . import survival
from .dataset.model import Dataset, NotRecorded, load
from .dataset.problems import DataError
from .page.page import Page, open_page

__all__ = ["DataError", "Dataset", "NotRecorded", "Page", "load", "open_page", "survival"]
