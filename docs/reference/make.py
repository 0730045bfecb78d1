"""Writes ``ops.md``, the list of every op, from the table: run ``python docs/reference/make.py``."""

import inspect
import sys
from importlib import import_module
from pathlib import Path

from autodiff.core.rule import TABLE
from autodiff.ops import fft, linalg, public, random
from autodiff.ops.refused import REFUSED

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
HEAD = """# Every op

One line an op: its signature, its formula where it is a row of the table, and where it stands. An op without a formula
is composed of others. All are functions of `ad`; those of `np.linalg`, `np.fft` and the random draws are also found
in `ad.linalg`, `ad.fft` and `ad.random`. `np.f(t)` of a tensor `t` calls `ad.f(t)`. Made by `docs/reference/make.py`.
"""


def main() -> None:
    """Write the page."""
    HERE.joinpath("ops.md").write_text(page())


def page() -> str:
    """The text of the page."""
    topics: dict[str, list[str]] = {}
    seen: dict[object, str] = {}
    plain: list[str] = []
    for space, names in spaces():
        module = public if space == "public" else import_module(f"autodiff.ops.{space}")
        for name in sorted(names, key=lambda name: is_alias(getattr(module, name), name)):
            op = getattr(module, name)
            shown = name if space == "public" else f"{space}.{name}"
            if inspect.unwrap(op).__module__.startswith("numpy"):
                plain.append(f"`{shown}`")
            elif op in seen:
                topics[source_of(op)[0]].append(f"- `{shown}`: see `{seen[op]}`.")
            else:
                seen[op] = shown
                topics.setdefault(source_of(op)[0], []).append(line(shown, op))
    parts = [HEAD]
    for topic in sorted(topics):
        summary = (import_module(topic).__doc__ or "").strip().splitlines()[0]
        parts.append(f"## {topic.rpartition('.')[2]}\n\n{summary}\n\n" + "\n".join(sorted(topics[topic])) + "\n")
    parts.append(used_inside(set(map(id, (getattr(op, "rule", None) for op in seen)))))
    parts.append(f"## NumPy's own\n\nAbout indices and settings, without a derivative: {', '.join(sorted(plain))}.\n")
    parts.append(refusals())
    return "\n".join(parts)


def is_alias(op: object, name: str) -> bool:
    """Whether this is not what the op calls itself."""
    return getattr(op, "__name__", name) != name


def spaces() -> list[tuple[str, list[str]]]:
    """The namespaces that offer ops, and their names."""
    return [
        ("public", public.names()),
        *(
            (
                space.__name__.rpartition(".")[2],
                [n for n in sorted(space.__all__) if not isinstance(getattr(space, n), type)],
            )
            for space in (linalg, fft, random)
        ),
    ]


def source_of(op: object) -> tuple[str, str]:
    """The module of an op, and the link to its line."""
    function = inspect.unwrap(op)
    path = Path(inspect.getsourcefile(function)).resolve().relative_to(ROOT)
    return function.__module__, f"../../{path.as_posix()}#L{function.__code__.co_firstlineno}"


def line(name: str, op: object) -> str:
    """One op."""
    rule = getattr(op, "rule", None)
    formula = f" ${rule.formula}$" if rule is not None else ""
    summary = (inspect.getdoc(op) or "").splitlines()[0].replace("``", "`")
    return f"- [`{name}{signature(op)}`]({source_of(op)[1]}): {summary}{formula}"


def signature(op: object) -> str:
    """The signature without types."""
    given = inspect.signature(op)
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in given.parameters.values()]
    return str(given.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def used_inside(public_rules: set[int]) -> str:
    """The rows that no public name leads to."""
    rows = [r for r in TABLE.values() if id(r) not in public_rules and r.forward.__module__.startswith("autodiff.ops")]
    lines = [f"- [`{r.name}`]({source_of(r.forward)[1]}) ${r.formula}$" for r in sorted(rows, key=lambda r: r.name)]
    return "## Rows that ops are composed of\n\n" + "\n".join(lines) + "\n"


def refusals() -> str:
    """What NumPy has and this package has not."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in REFUSED.items():
        by_reason.setdefault(reason, []).append(name)
    lines = [f"- {', '.join(f'`{n}`' for n in sorted(names))}: {reason}." for reason, names in by_reason.items()]
    return "## Refused\n\nFunctions of NumPy without an op, and why.\n\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
