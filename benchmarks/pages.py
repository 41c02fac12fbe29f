"""What a page loads and when it is seen: size compressed, and times, in a browser.

    python benchmarks/pages.py [SITE [SLOWER]]

SITE is the html folder of a finished site (default: _build/html), SLOWER how many times slower the
processor is to seem (default: 1). Each page is opened by itself with nothing cached, from a server
on this machine, so the time is that of the browser alone.
"""

from __future__ import annotations

import gzip
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from analysis.site.browser import chromium, require_browser  # noqa: E402 (the path comes first)

DRAWN = "[...document.querySelectorAll('.chart')].every(chart => chart.dataset.drawn === 'true')"
WATCH = """new MutationObserver((_, watch) => {
  if (!document.querySelector(".chart[data-drawn]")) return;
  window.firstChart = performance.now();
  watch.disconnect();
}).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-drawn"] });
new PerformanceObserver(list => { window.largest = list.getEntries().at(-1).startTime; })
  .observe({ type: "largest-contentful-paint", buffered: true });"""


@dataclass(frozen=True)
class Measured:
    """Bytes that a page loads, compressed, and seconds from its request.

    To the end of loading, to its largest paint, and to its first chart, if it has one.
    """

    size: int
    loaded: float
    largest: float
    first_chart: float | None


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a line for each, and for what is not there the site's own page."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def copyfile(self, source: BinaryIO, outputfile: BinaryIO) -> None:
        """Send a file; a page that was closed meanwhile wants it no more."""
        with suppress(BrokenPipeError, ConnectionResetError):
            super().copyfile(source, outputfile)

    def send_error(self, code: int, *rest: str | None) -> None:
        """Answer as a host of static sites does, with the nearest 404.html above."""
        place = Path(self.translate_path(self.path))
        pages = (folder / "404.html" for folder in place.parents)
        page = next((page for page in pages if page.exists()), None)
        if code != 404 or page is None or self.command == "HEAD":
            super().send_error(code, *rest)
            return
        self.send_response(404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page.read_bytes())


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Address of a folder on a local web server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def measure(browser, site: Path, address: str, name: str, slower: float = 1) -> Measured:
    """Open one page with nothing cached, on a processor that seems so many times slower."""
    context = browser.new_context()
    page = context.new_page()
    if slower > 1:
        devtools = context.new_cdp_session(page)
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(urlsplit(request.url).path))
    page.add_init_script(WATCH)
    page.goto(f"{address}/{name}")
    page.wait_for_function(DRAWN, timeout=30_000)
    loaded = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    largest = page.evaluate("window.largest ?? 0")
    first = page.evaluate("window.firstChart ?? null")
    context.close()
    files = [site / unquote(path).lstrip("/") for path in asked]
    size = sum(len(gzip.compress(file.read_bytes())) for file in files if file.is_file())
    return Measured(size, loaded / 1000, largest / 1000, first and first / 1000)


def main() -> None:
    """Print a line for each page."""
    site = Path(sys.argv[1] if sys.argv[1:] else "_build/html").resolve()
    slower = float(sys.argv[2]) if sys.argv[2:] else 1
    names = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    with serving(site) as address, chromium(require_browser()) as browser:
        print(f"{'page':32}{'KB':>8}{'loaded, s':>12}{'largest, s':>12}{'chart, s':>12}")
        for name in names:
            if "_static" not in name:
                page = measure(browser, site, address, name, slower)
                chart = f"{page.first_chart:.2f}" if page.first_chart else "–"
                times = f"{page.loaded:12.2f}{page.largest:12.2f}{chart:>12}"
                print(f"{name:32}{page.size / 1000:8.0f}{times}")


if __name__ == "__main__":
    main()
