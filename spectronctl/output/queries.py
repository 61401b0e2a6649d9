"""`--query`: a JMESPath expression over the whole result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spectronctl.errors import UsageError

if TYPE_CHECKING:
    from jmespath.exceptions import JMESPathError

_HINT = "--query takes JMESPath (jmespath.org), such as [].id or [?namespace=='acme'].{id: id}."


class MisfitError(UsageError):
    """An expression that is sound, and not for this result: known only once the result is there."""


@dataclass(frozen=True)
class Query:
    """An expression that parses and calls only functions there are."""

    text: str
    parsed: Any

    def run(self, result: Any) -> Any:
        """What the expression finds in the result; a UsageError when a function cannot take what it is given."""
        try:
            return self.parsed.search(result)
        # jmespath's own errors are ValueErrors, and those of Python come through it as they are: `ceil` of an infinity,
        # a slice with the step 0.
        except (ValueError, TypeError, ArithmeticError) as exc:
            raise MisfitError(f"--query does not fit the result: {_explain_misfit(exc)}") from None


def parse_query(text: str) -> Query:
    """Everything about an expression that can be wrong before there is a result is a UsageError here."""
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        parsed = jmespath.compile(text)
    except JMESPathError as exc:
        raise UsageError(f"--query does not parse: {_locate(text, exc)}", hint=_HINT) from None
    _check_calls(parsed.parsed)
    return Query(text, parsed)


def _locate(text: str, exc: JMESPathError) -> str:
    # An empty expression has an error of its own, which knows no position.
    position = getattr(exc, "lex_position", None)
    if position is None or not text:
        return "it is empty"
    if position >= len(text):
        return f"{text!r} ends too early"
    return f"{text[position:]!r} at position {position + 1} of {text!r} is not expected there"


def _explain_misfit(exc: Exception) -> str:
    """Say what went wrong without the value, which may be a secret."""
    function = getattr(exc, "function_name", None)
    if function is None:
        return "a function or a slice in it cannot take what it is given"
    wanted = " or ".join(getattr(exc, "expected_types", ()))
    return f"{function}() takes {wanted}, not {getattr(exc, 'actual_type', 'this')}"


def _check_calls(node: Any, *, is_argument: bool = False) -> None:
    """Walk the expression's tree: jmespath itself looks at functions only while it runs."""
    if not isinstance(node, dict):
        return
    # jmespath would return the expression itself, an object of Python that no format can write.
    if node["type"] == "expref" and not is_argument:
        raise UsageError("--query: & stands only before an argument of a function", hint=_HINT)
    is_call = node["type"] == "function_expression"
    if is_call:
        _check_call(node["value"], len(node["children"]))
    for child in node["children"]:
        _check_calls(child, is_argument=is_call)


def _check_call(name: str, given: int) -> None:
    from difflib import get_close_matches

    from jmespath.functions import Functions

    functions = Functions.FUNCTION_TABLE
    if name not in functions:
        near = get_close_matches(name, functions)
        raise UsageError(f"--query: there is no function {name}()", hint=_HINT, candidates=near)
    signature = functions[name]["signature"]
    is_open = bool(signature) and signature[-1].get("variadic", False)
    # By the signatures that jmespath keeps for its own check, so that both count alike.
    if given < len(signature) or (given > len(signature) and not is_open):
        wanted = f"{'at least ' if is_open else ''}{len(signature)}"
        raise UsageError(f"--query: {name}() is given {given} arguments, not {wanted}", hint=_HINT)
