"""The reference of the Python clients, made from their signatures and docstrings, as one page of Markdown."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from spectronctl import SpectronManagement, SyncSpectronManagement, errors
from tools.reference.markdown import format_table, format_text
from tools.reference.text import parse_paragraphs

_OPENING = """\
# Python clients

`SpectronManagement` is the asynchronous client and `SyncSpectronManagement` the synchronous one, with the same calls.
This page is written by `make generate` from the clients themselves; [the guide](guide/python.md) has examples.

## Clients
"""
_VALUES = """\
## Values

What the calls return. Fields that a server sends and that are not in these tables are kept: `value.to_dict()` has them.
"""


@dataclass(frozen=True)
class Call:
    """A method by its dotted name, as `contexts.create`."""

    name: str
    method: Callable[..., Any]

    @property
    def returns(self) -> str:
        return str(inspect.signature(self.method).return_annotation)

    @property
    def head(self) -> str:
        """What is typed before its arguments."""
        is_awaited = inspect.iscoroutinefunction(self.method)
        return f"{'await ' if is_awaited else ''}admin.{self.name}"

    @property
    def shown(self) -> str:
        """How it is used; what several things are returned by is a loop."""
        arguments = "…" if len(inspect.signature(self.method).parameters) > 1 else ""
        call = f"{self.head}({arguments})"
        loop = re.fullmatch(r"(Async)?Iterator\[(\w+)\]", self.returns)
        return f"{'async ' if loop[1] else ''}for {loop[2].lower()} in {call}" if loop else call


def format_clients() -> str:
    """The whole page: how a client is made, each call, what calls return, and how they fail."""
    clients = (SpectronManagement, SyncSpectronManagement)
    calls, sync_calls = (list(find_calls(client("http://localhost"))) for client in clients)
    parts = [
        _OPENING,
        _format_signature(SpectronManagement.__name__, SpectronManagement),
        _format_doc(SpectronManagement),
        "## Calls\n",
        format_table(
            ("Call", *(client.__name__ for client in clients)),
            map(_format_row, calls, sync_calls),
        ),
        *map(_format_call, calls),
        _VALUES,
        *map(_format_value, find_values(calls)),
        "## Errors\n",
        *_format_errors(),
    ]
    return "\n".join(parts)


def find_calls(admin: object) -> Iterator[Call]:
    """Every public method of a client, then those of its groups, in the order of the source."""
    yield from (Call(name, method) for name, method in _find_methods(admin))
    for group, calls in vars(admin).items():
        if not group.startswith("_"):
            yield from (Call(f"{group}.{name}", each) for name, each in _find_methods(calls))


def find_values(calls: Iterable[Call]) -> list[type]:
    """The types of this package that calls return, and that those hold, each once."""
    found: dict[type, None] = {}
    left = [kind for call in calls for kind in _find_named(call.method, call.returns)]
    while left:
        kind = left.pop(0)
        found[kind] = None
        left += [each for text in _find_types(kind).values() for each in _find_named(kind, text)]
    return list(found)


def _find_named(owner: object, text: str) -> list[type]:
    """The types that an annotation names, as the module of its owner knows them."""
    named = (getattr(inspect.getmodule(owner), name, None) for name in re.findall(r"\w+", text))
    return [
        each
        for each in named
        if inspect.isclass(each) and each.__module__.startswith("spectronctl.")
    ]


def _find_methods(calls: object) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, method in vars(type(calls)).items():
        if not name.startswith("_"):
            yield name, method


def _format_row(call: Call, sync: Call) -> list[str]:
    anchor = call.name.replace(".", "")
    return [f"[`{call.name}`](#{anchor})", f"`{call.shown}`", f"`{sync.shown}`"]


def _format_call(call: Call) -> str:
    signature = _format_signature(call.head, call.method, call.returns)
    return f"### {call.name}\n\n{signature}\n{_format_doc(call.method)}"


def _format_signature(head: str, call: Callable[..., Any], returns: str = "") -> str:
    lines = "".join(f"    {line},\n" for line in _format_parameters(call))
    inner = f"\n{lines}" if lines else ""
    return f"```python\n{head}({inner}){f' -> {returns}' if returns else ''}\n```\n"


def _format_parameters(call: Callable[..., Any]) -> Iterator[str]:
    """One line each. Types are what the source says, since the modules' annotations are text."""
    positional = True
    for each in inspect.signature(call).parameters.values():
        if positional and each.kind is each.KEYWORD_ONLY:
            positional = False
            yield "*"
        default = "" if each.default is each.empty else f" = {each.default!r}"
        if each.name != "self":
            yield f"{each.name}: {each.annotation}{default}"


def _format_value(kind: type) -> str:
    rows = ((f"`{name}`", f"`{text}`") for name, text in _find_types(kind).items())
    return f"### {kind.__name__}\n\n{_format_doc(kind)}\n{format_table(('Field', 'Type'), rows)}"


def _find_types(kind: type) -> dict[str, str]:
    """The public fields, with their types as the source says them."""
    annotations = [vars(base).get("__annotations__", {}) for base in reversed(kind.__mro__)]
    return {
        name: str(text)
        for own in annotations
        for name, text in own.items()
        if not name.startswith(("_", "model_"))
    }


def _format_errors() -> list[str]:
    opening, tree, *_ = (inspect.getdoc(errors) or "").split("\n\n")
    return [f"{opening}\n", f"```text\n{textwrap.dedent(tree)}\n```\n"]


def _format_doc(thing: object) -> str:
    paragraphs = parse_paragraphs(inspect.getdoc(thing) or "")
    return "\n".join(f"{format_text(paragraph.text)}\n" for paragraph in paragraphs)
