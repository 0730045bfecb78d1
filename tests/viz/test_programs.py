"""The lines of the user's program behind a tape."""

from autodiff.core.source import Line, Place
from autodiff.viz import programs


def test_files_are_called_what_people_call_them(monkeypatch):
    monkeypatch.setattr(programs, "cell_of", {"/tmp/ipykernel_7/123.py": 5}.get)
    names = ["/tmp/ipykernel_7/123.py", "/home/me/model.py", "<stdin>"]
    listed = programs.listed(Place(Line(name, 1), "<module>", 1, 0, 1) for name in names)
    assert [file["name"] for file in listed] == ["cell [5]", "model.py", "In a notebook or a prompt"]
