"""What a sheet of a workbook holds beside its values: formulas, merged cells, what is hidden."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree

from ..dataset.problems import LISTED_AT_MOST
from .headers import Table, listed_rows
from .words import sentence


@dataclass
class Layout:
    """What a sheet holds beside its values."""

    formulas: list[str] = field(default_factory=list)  # cells whose result is not stored
    merged: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)  # those hidden
    columns: list[int] = field(default_factory=list)

    def problems(self, file: str) -> Iterator[str]:
        """Formulas that were never computed would seem to be blank."""
        if self.formulas:
            more = len(self.formulas) - LISTED_AT_MOST
            cells = ", ".join(self.formulas[:LISTED_AT_MOST])
            cells += f" and {more} more" if more > 0 else ""
            yield sentence("formulas", file=file, cells=cells)

    def merged_problems(self, file: str, header: int) -> Iterator[str]:
        """Of merged cells only the first has a value; above the header they are titles."""
        for cells in self.merged:
            if int(re.sub(r".*\D", "", cells)) >= header:
                yield sentence("merged", file=file, cells=cells)

    def notes(self, table: Table) -> Iterator[str]:
        """What an eye on the sheet would not have seen."""
        if rows := [row for row in self.rows if row in table.text.index]:
            yield sentence("hidden_rows", rows=listed_rows(rows))
        places = zip(table.text, table.places, strict=True)
        if columns := [name for name, place in places if place + 1 in self.columns]:
            yield sentence("hidden_columns", columns=", ".join(columns))


def layout_of(content: bytes, part: str) -> Layout:
    """Formulas without results, merged cells and what is hidden, from the file of one sheet."""
    layout, formula, value = Layout(), False, ""
    with zipfile.ZipFile(io.BytesIO(content)).open(part.lstrip("/")) as sheet:
        for _, element in ElementTree.iterparse(sheet):
            match element.tag.rpartition("}")[2], element.attrib:
                case "f", _:
                    formula = True
                case "v", _:
                    value = element.text or ""
                case "c", found:
                    # A formula may also give a text of no length.
                    if formula and not value and found.get("t") != "str":
                        layout.formulas.append(found.get("r", "a cell"))
                    formula, value = False, ""
                case "mergeCell", {"ref": cells}:
                    layout.merged.append(cells)
                case "row", found:
                    if found.get("hidden") in ("1", "true"):
                        layout.rows.append(int(found.get("r", 0)))
                    element.clear()
                case "col", {"hidden": "1" | "true", "min": first, "max": last}:
                    layout.columns += range(int(first), min(int(last), 20_000) + 1)
    return layout
