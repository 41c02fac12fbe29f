"""Office files are zips of parts; ours hold no time, so that equal tables give equal files."""

from __future__ import annotations

import zipfile
from datetime import datetime
from pathlib import Path
from typing import IO

LONG_AGO = datetime(1980, 1, 1)  # the first day that a zip can tell


class Parts(zipfile.ZipFile):
    """A zip whose parts are all of one day."""

    def writestr(self, name: str, data: str | bytes, *_: object, **__: object) -> None:
        """Add a part."""
        part = zipfile.ZipInfo(name, LONG_AGO.timetuple()[:6])
        super().writestr(part, data, zipfile.ZIP_DEFLATED)

    def write(self, filename: str, arcname: str | None = None, *_: object, **__: object) -> None:
        """Add a part that lies in a file."""
        self.writestr(arcname or filename, Path(filename).read_bytes())


def archive(file: IO[bytes], mode: str) -> Parts:
    """A zip to write to, anew ("w") or after what is there ("a")."""
    return Parts(file, mode)
