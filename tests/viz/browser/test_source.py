"""The source pane: files, lines and columns."""

import runpy

import autodiff as ad


def test_without_trace_it_says_how_to_get_lines(opened):
    x = ad.Value(2.0)
    page = opened(ad.debug(x * x))
    assert "with ad.trace():" in page.tab.inner_text("#source")


def test_two_files_are_tabs(opened, tmp_path):
    (tmp_path / "helper.py").write_text("import autodiff as ad\n\n\ndef double(x):\n    return x + x\n")
    main = tmp_path / "main.py"
    main.write_text(
        "import runpy\nimport autodiff as ad\n"
        f"double = runpy.run_path({str(tmp_path / 'helper.py')!r})['double']\n"
        "x = ad.Value(2.0)\nwith ad.trace():\n    y = double(x) * x\npage = ad.debug(y)\n"
    )
    page = opened(runpy.run_path(str(main))["page"])
    tabs = page.tab.locator("[role=tab]")
    assert sorted(tabs.all_inner_texts()) == ["helper.py", "main.py"]
    page.press("ArrowRight")
    assert page.tab.locator("[role=tab][aria-selected=true]").inner_text() == "helper.py"
    assert page.tab.locator("li.now mark").inner_text() == "x + x"
    page.press("ArrowRight")
    assert page.tab.locator("[role=tab][aria-selected=true]").inner_text() == "main.py"
    assert page.tab.locator("li.now mark").inner_text() == "double(x) * x"


def test_columns_count_bytes(opened, tmp_path):
    main = tmp_path / "main.py"
    main.write_text(
        "import autodiff as ad\nwith ad.trace():\n    é = ad.Value(2.0); ü = ad.sin(é) * é\npage = ad.debug(ü)\n"
    )
    page = opened(runpy.run_path(str(main))["page"])
    page.press("ArrowRight")
    assert page.tab.locator("li.now mark").inner_text() == "ad.sin(é)"
