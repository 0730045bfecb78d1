"""One file that needs nothing else: scripts and styles by their hashes, data that cannot end its script."""

import base64
import hashlib
import json
import re
import zlib
from html.parser import HTMLParser

import pytest

import autodiff as ad
from autodiff.viz.page import LARGE, STATIC, Page, as_data, assemble


class Reader(HTMLParser):
    """The scripts and styles of a page, and the attributes of every element."""

    def __init__(self, html):
        super().__init__()
        self.open, self.texts, self.attributes = None, [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag in ("script", "style"):
            self.open = (tag, dict(attrs))
            self.texts.append([tag, dict(attrs), ""])

    def handle_endtag(self, tag):
        self.open = None

    def handle_data(self, data):
        if self.open:
            self.texts[-1][2] += data


def digest(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@pytest.fixture
def small(tmp_path, monkeypatch):
    monkeypatch.setattr("autodiff.viz.page.STATIC", tmp_path)
    (tmp_path / "a.js").write_text('export function a() {\n  return "import x;";\n}\n')
    (tmp_path / "b.js").write_text(
        'import { a } from "./a.js";\nimport {\n  c,\n} from "./c.js";\n\nexport const b = a();\n'
    )
    (tmp_path / "lib.js").write_text("var lib = 1;\n")
    (tmp_path / "LICENSE").write_text("Copyright somebody\n")
    (tmp_path / "s.css").write_text("p { color: red }\n")
    return assemble(
        "a <title> & more",
        "<p>Hello</p>",
        styles=["s.css"],
        libraries=["lib.js"],
        notices=["LICENSE"],
        modules=["a.js", "b.js"],
        data={"view": {"text": "</script><!-- & \u2028"}},
    )


def test_the_policy_allows_exactly_what_the_page_holds(small):
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', small)[1]
    assert policy.startswith("default-src 'none'; script-src ")
    assert "unsafe" not in policy
    page = Reader(small)
    held = [digest(text) for tag, attributes, text in page.texts if attributes.get("type") != "application/json"]
    assert sorted(re.findall(r"'sha256-[^']*'", policy)) == sorted(held)


def test_modules_become_one(small):
    code = next(text for _, attributes, text in Reader(small).texts if attributes.get("type") == "module")
    assert "import {" not in code
    assert "export" not in code
    assert 'return "import x;"' in code
    assert code.index("function a") < code.index("const b")


def test_the_notice_of_a_library_goes_with_it(small):
    assert "<!--\nCopyright somebody\n-->" in small


def test_the_title_is_text(small):
    assert "<title>a &lt;title&gt; &amp; more</title>" in small


@pytest.mark.parametrize("text", ["</script>", "<!--", "a & b", "\u2028\u2029", "<SCRIPT>", '"\\'])
def test_data_cannot_end_its_script(text):
    written = as_data({"text": text})
    assert not re.search(r"[<>&\u2028\u2029]", written)
    assert json.loads(written) == {"text": text}


def test_data_has_no_nan():
    with pytest.raises(ValueError, match="JSON compliant"):
        as_data(float("nan"))


def test_much_data_is_compressed_on_request():
    """Data of more than a million characters, which then take a part of the room; the policy does not change."""
    little, much = {"x": "<a>"}, {"x": ["<a>"] * (LARGE // 8)}
    for data in (little, much):
        plain = f'<script type="application/json" id="view">{as_data(data)}</script>'
        assert plain in assemble("t", "", data={"view": data})
    assert assemble("t", "", data={"view": little}, deflate=True) == assemble("t", "", data={"view": little})
    page = assemble("t", "", data={"view": much}, deflate=True)
    (_, attributes, text), *_ = (s for s in Reader(page).texts if s[0] == "script")
    assert attributes == {"type": "application/zlib", "id": "view"}
    assert json.loads(zlib.decompress(base64.b64decode(text))) == much
    assert len(page) < LARGE / 10


@pytest.mark.parametrize(
    ("path", "error"),
    [(3, ad.errors.KindError), ("page.txt", ad.errors.ArgumentError), ("none/page.html", FileNotFoundError)],
)
def test_a_page_is_saved_as_html_and_where_there_is_a_folder(path, error, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match="A page cannot be saved as"):
        Page("t", "").save(path)


def test_saving_and_showing(tmp_path):
    page = Page('a "title"', "<!DOCTYPE html><p>é</p>", height=300)
    assert page.save(tmp_path / "page.html").read_text(encoding="utf-8") == page.html
    frame = Reader(page._repr_html_()).attributes
    assert ("iframe", "srcdoc", page.html) in frame
    assert ("iframe", "title", 'a "title"') in frame
    assert ("iframe", "sandbox", "allow-scripts allow-downloads") in frame


def test_halves_of_a_character_are_replaced(tmp_path):
    """A page is UTF-8, which has no lone surrogates; the file is not opened before that is sure."""
    for data in ({"x": "\ud800"}, {"x": ["\ud800"] * LARGE}):
        page = Page("a\ud800", assemble("a\udfff", "<p>\udc00</p>", data=data, deflate=True))
        assert page.title == "a\ufffd"
        assert "<title>a\ufffd</title>" in page.html
        assert "<p>\ufffd</p>" in page.html
        assert page.save(tmp_path / "page.html").read_text(encoding="utf-8") == page.html
        page._repr_html_().encode()
    x = ad.Value(2.0, name="x\ud800")
    ad.debug(x * x, tmp_path / "debug.html", title="\ud800")
    assert "<title>\ufffd</title>" in (tmp_path / "debug.html").read_text(encoding="utf-8")


def test_files_of_the_debugger_are_fit_to_stand_inside():
    """Names at the top of its modules differ, no file is long, and none could end its script or ask for anything."""
    names = {}
    for file in sorted((STATIC / "debugger").glob("*.js")):
        code = file.read_text(encoding="utf-8")
        assert len(code.splitlines()) < 500
        assert not re.search(r"</script|<!--|\beval\(|new Function|innerHTML|fetch\(|https?://(?!www\.w3\.org/)", code)
        for name in re.findall(r"^(?:export )?(?:async )?(?:function|const|let|class) (\w+)", code, re.MULTILINE):
            assert name not in names, f"{name} is in {names[name]} and in {file.name}"
            names[name] = file.name
    body = (STATIC / "debugger" / "body.html").read_text(encoding="utf-8")
    assert not re.search(r"\son\w+=|style=", body)


def test_imports_name_what_their_file_exports():
    """The page drops imports; for who reads the files they must be true."""
    codes = {file.name: file.read_text(encoding="utf-8") for file in (STATIC / "debugger").glob("*.js")}
    exports = r"^export (?:async )?(?:function|const|class) (\w+)"
    exported = {name: set(re.findall(exports, code, re.MULTILINE)) for name, code in codes.items()}
    for name, code in codes.items():
        rest = re.sub(r"^import\s[^;]*;\n", "", code, flags=re.MULTILINE)
        for imported, source in re.findall(r'^import \{([^}]*)\} from "\./([\w.]+)";', code, re.MULTILINE):
            for what in re.findall(r"\w+", imported):
                assert what in exported[source], f"{name} imports {what} from {source}"
                assert re.search(rf"\b{what}\b", rest), f"{name} does not use {what}"
