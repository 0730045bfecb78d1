"""One HTML file that needs nothing else: scripts, styles and data inside it, and no request to anywhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from .saving import writable

STATIC = Path(__file__).parent / "static"
SUFFIXES = ("html", "htm")
LARGE = 1_000_000
"""About how many characters of JSON a page may hold as they are."""


class Page:
    """A self-contained HTML page.  It shows itself in a notebook, and saves itself to a file.

    Attributes
    ----------
    title : str
    html : str
        The whole page.
    height : int
        Of the frame in a notebook, in pixels.

    Examples
    --------
    >>> Page("loss", assemble("loss", "<p>Hello</p>"))
    <Page 'loss': .save("page.html") writes it to a file, a notebook shows it>
    """

    def __init__(self, title: str, html: str, height: int = 720) -> None:
        self.title = without_surrogates(title)
        self.html = html
        self.height = height

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the page to a file.

        Parameters
        ----------
        path : path
            Ends in ``.html`` or ``.htm``, such as ``debug.html``.

        Returns
        -------
        Path
            Where it was written.

        Raises
        ------
        KindError
            If ``path`` is no path.
        ArgumentError
            If the suffix is another one.
        MissingFolderError
            If there is no folder to write it to.
        UnwritableError
            If it is a folder, or the system lets nobody write a file of that name there.
        """
        path = writable("page", path, SUFFIXES)
        path.write_bytes(self.html.encode())
        return path

    def __repr__(self) -> str:
        return f'<Page {self.title!r}: .save("page.html") writes it to a file, a notebook shows it>'

    def _repr_html_(self) -> str:
        """The page in a frame of its own, which a saved notebook keeps and which cannot reach the notebook."""
        from html import escape

        return (
            f'<iframe title="{escape(self.title)}" sandbox="allow-scripts allow-downloads" '
            f'style="width:100%;height:{self.height}px;border:0" srcdoc="{escape(self.html)}"></iframe>'
        )


def assemble(
    title: str,
    body: str,
    *,
    styles: Sequence[str] = (),
    libraries: Sequence[str] = (),
    notices: Sequence[str] = (),
    modules: Sequence[str] = (),
    data: Mapping[str, Any] | None = None,
    deflate: bool = False,
) -> str:
    """One HTML document of a body and of files under ``static/``.

    Parameters
    ----------
    title : str
    body : str
        HTML; ``<style>`` elements in it, as a drawing has, are allowed too.
    styles, libraries, modules : sequence of str
        Paths of CSS, of classic scripts, and of JavaScript modules in the order of their imports.  The modules become
        one: their ``import`` lines and ``export`` words go, so their names must differ.
    notices : sequence of str
        Paths of licences that must go with the libraries; they stand in comments.
    data : mapping of str to JSON, optional
        Each becomes ``<script type="application/json" id="...">``.
    deflate : bool
        Whether to compress data of more than ``LARGE`` characters; the page reads it by ``debugger/reading.js``.

    Returns
    -------
    str
        With a Content-Security-Policy that allows exactly these scripts and styles, by their hashes, and no request.
    """
    from html import escape

    css = "\n".join(static(path) for path in styles)
    scripts = [("", static(path)) for path in libraries]
    if modules:
        scripts.append((' type="module"', "\n".join(_without_imports(static(path)) for path in modules)))
    allowed = " ".join(_hash(code) for _, code in scripts) or "'none'"
    looks = " ".join(map(_hash, [css, *re.findall(r"<style>(.*?)</style>", body, re.DOTALL)]))
    policy = f"default-src 'none'; script-src {allowed}; style-src {looks}; img-src data:; base-uri 'none'; "
    policy += "form-action 'none'"
    parts = [
        "<!DOCTYPE html>",
        *(f"<!--\n{static(path)}-->" for path in notices),
        '<html lang="en">',
        '<head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title>",
        f"<style>{css}</style></head>",
        f"<body>{body}",
        *(_block(key, as_data(x), deflate) for key, x in (data or {}).items()),
        *(f"<script{kind}>{code}</script>" for kind, code in scripts),
        "</body></html>\n",
    ]
    return without_surrogates("\n".join(parts))


def without_surrogates(text: str) -> str:
    """Text that can be encoded: halves of a character become the sign for what cannot be shown."""
    return re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)


def as_data(x: Any) -> str:
    """JSON that can stand inside a ``<script>``: nothing in it ends the script or begins a comment."""
    text = without_surrogates(json.dumps(x, ensure_ascii=False, separators=(",", ":"), allow_nan=False))
    return re.sub("[&<>\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text)


def _block(key: str, text: str, deflate: bool) -> str:
    """Data in a page: as it is, or, if there is much of it, compressed and in base64."""
    if not deflate or len(text) <= LARGE:
        return f'<script type="application/json" id="{key}">{text}</script>'
    packed = base64.b64encode(zlib.compress(text.encode())).decode()
    return f'<script type="application/zlib" id="{key}">{packed}</script>'


def static(path: str) -> str:
    """The text of a file under ``static/``."""
    return (STATIC / path).read_text(encoding="utf-8")


def _without_imports(code: str) -> str:
    code = re.sub(r"^import\s[^;]*;\n", "", code, flags=re.MULTILINE)
    return re.sub(r"^export (?=async function|function|const|let|class)", "", code, flags=re.MULTILINE)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
