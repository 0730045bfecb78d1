"""Make the pictures of the debugger: ``python docs/pictures/screens.py [folder]``; needs playwright and Chromium.

The best of them stand beside this file.  With a folder, every program is photographed there at several steps, light and
dark, at several sizes: to be looked at after each change of the page.
"""

import runpy
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
PICTURES = [
    ("expression", "light", 11, "debugger-light.png"),
    ("attention", "dark", 0.75, "debugger-dark.png"),
]
SIZES = {"laptop": (1280, 720), "beamer": (1920, 1080), "notebook": (800, 720)}
PLACES = (0, 0.25, 0.6, 0.9)


def photograph(browser: Browser, program: str, scheme: str, at: float, size: tuple[int, int], to: Path) -> None:
    """One picture of a program's page; ``at`` is a step, or below 1 a part of all steps."""
    with tempfile.TemporaryDirectory() as folder:
        page = runpy.run_path(str(PROGRAMS / f"{program}.py"))["page"]
        file = page.save(Path(folder) / "page.html")
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, reduced_motion="reduce"
        )
        tab = context.new_page()
        tab.goto(file.as_uri())
        n_steps = int(tab.evaluate("document.body.dataset.steps"))
        for _ in range(round(at * n_steps) if at < 1 else int(at)):
            tab.keyboard.press("ArrowRight")
        tab.screenshot(path=to)
        context.close()


def main() -> None:
    """The pictures of the docs, or with a folder all of them."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        if len(sys.argv) == 1:
            for program, scheme, at, name in PICTURES:
                photograph(browser, program, scheme, at, SIZES["laptop"], HERE / name)
        else:
            folder = Path(sys.argv[1])
            folder.mkdir(parents=True, exist_ok=True)
            for program in sorted(PROGRAMS.glob("*.py")):
                for scheme in ("light", "dark"):
                    for name, size in SIZES.items():
                        for at in PLACES:
                            to = folder / f"{program.stem}-{scheme}-{name}-{at}.png"
                            photograph(browser, program.stem, scheme, at, size, to)
        browser.close()


if __name__ == "__main__":
    main()
