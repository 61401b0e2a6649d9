"""`spectronctl ontology edit`"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from spectronctl.cli._typer import App, Context
from spectronctl.cli.commands._options import ConfirmOption
from spectronctl.cli.commands.ontology._consent import DECLINED, Consent, show_written
from spectronctl.cli.commands.ontology._file import check_ontology
from spectronctl.cli.commands.ontology._view import ONTOLOGY
from spectronctl.errors import InvalidError, SpectronctlError, UsageError

if TYPE_CHECKING:
    from spectronctl.cli.editors import Editor
    from spectronctl.cli.runtime import Runtime
    from spectronctl.models.ontology import Ontology

app = App()


@app.command()
def edit_ontology(ctx: Context, confirm: ConfirmOption = None) -> None:
    """
    Edit the ontology in your editor; changes of others are kept.

    Examples:
      spectronctl ontology edit
    """
    from spectronctl.cli.editors import find_editor
    from spectronctl.operations import ontologies

    rt = ctx.runtime
    rt.out.check(ONTOLOGY)
    # A key and an editor are found before the server is asked for anything.
    client = rt.client
    with _Draft(rt, find_editor(rt)) as draft:
        written = ontologies.replace_ontology(
            client, rt.context, draft.edit, agree=Consent(rt, confirm)
        )
    show_written(rt, written, DECLINED)


_HEADER = """\
# The ontology of context {context}.
# It is written when you save and close; leave it as it is, or empty, to change nothing.
# Every key of attribute_keys must be one of the entity_types.
"""


class _Draft:
    """
    A YAML file of mode 0600 that is edited until it is an ontology.

    It is gone in the end, unless an error left an edited text behind: then the error says where that is kept.
    """

    def __init__(self, rt: Runtime, editor: Editor) -> None:
        self._rt = rt
        self._editor = editor
        self._path: Path | None = None
        self._original = b""

    def __enter__(self) -> _Draft:
        return self

    def edit(self, ontology: Ontology) -> Ontology:
        """The text after editing; InvalidError or UsageError when it is wrong and is not corrected."""
        path = self._write(ontology)
        while True:
            self._editor.run(path)
            try:
                return self._read(path, ontology)
            except (InvalidError, UsageError) as exc:
                self._offer_again(exc)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._path is None:
            return
        # Text that a person typed outlives every end but success: a refusal, a conflict, a server that is away, Ctrl-C.
        if error is None or self._is_untouched(self._path):
            self._path.unlink(missing_ok=True)
        elif isinstance(error, SpectronctlError):
            error.hint = f"{error.hint} {self._kept}" if error.hint else self._kept
        else:
            self._rt.streams.write_message(f"{self._kept}\n")

    @property
    def _kept(self) -> str:
        return f"Your text is kept in {self._path}."

    def _write(self, ontology: Ontology) -> Path:
        from spectronctl.models.ontology import FIELDS
        from spectronctl.output.documents import to_yaml

        whole = {field: getattr(ontology, field) for field in FIELDS}
        self._original = (_HEADER.format(context=self._rt.context) + to_yaml(whole)).encode()
        try:
            # Mode 0600 from its first moment, and a suffix by which editors know the language.
            descriptor, name = tempfile.mkstemp(prefix="spectronctl-ontology-", suffix=".yaml")
            self._path = Path(name)
            with os.fdopen(descriptor, "wb") as file:
                file.write(self._original)
        except OSError as exc:
            raise SpectronctlError(f"no file to edit can be made: {exc.strerror}") from None
        return self._path

    def _is_untouched(self, path: Path) -> bool:
        try:
            # Emptied means given up, as with a commit message.
            return path.read_bytes() in {self._original, b""}
        except OSError:
            return True

    def _read(self, path: Path, before: Ontology) -> Ontology:
        from spectronctl.output.parsing import parse_document

        try:
            # By its name, not the descriptor that it was written through: most editors put a new file in its place.
            data = path.read_bytes()
        except OSError as exc:
            raise SpectronctlError(f"the editor left no text in {path}: {exc.strerror}") from None
        document = parse_document(data, str(path))
        # Nothing but comments is no document, and means no change.
        return before if document is None else check_ontology(document, str(path))

    def _offer_again(self, problem: SpectronctlError) -> None:
        """Return when a person wants to go on with the text; otherwise raise."""
        from spectronctl.output.prompts import confirm

        rt = self._rt
        no_input = rt.settings.no_input.value
        if not rt.streams.can_ask(no_input=no_input):
            raise problem
        # A question is one line: the cursor waits behind it.
        told = problem.message.replace(":\n", ": ").replace("\n", "; ")
        question = f"{told}. Edit it again?"
        confirm(rt.streams, question, yes=False, no_input=no_input, declined=DECLINED)
