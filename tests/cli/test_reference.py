"""
The reference of the commands, read back: by a parser of Markdown, by groff and by mandoc.

Where groff or mandoc is missing, the man pages are held to their structure only.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from spectronctl import SpectronManagement, SyncSpectronManagement
from spectronctl.errors import FOUND
from tests.support.command_tree import GLOBAL, NODES
from tests.support.commandline import CommandLine
from tools.reference.markdown import _format_page, format_reference
from tools.reference.pages import Entry, Page, read_options, read_pages
from tools.reference.python import find_calls, format_clients
from tools.reference.roff import write_page
from tools.reference.shared import VARIABLES, parse_settings, read_endings, read_files
from tools.reference.text import Paragraph, Span, end_sentence, parse_paragraphs, split_typed

ROOT = Path(__file__).parents[2]
GUIDE_TO_OUTPUT = ROOT / "docs" / "guide" / "output.md"
REFERENCE = ROOT / "docs" / "commands.md"
CLIENTS = ROOT / "docs" / "python.md"
PAGES = read_pages(NODES)
CLASSES = (SpectronManagement, SyncSpectronManagement)
COMMANDS = [page for page in PAGES if page.path]
BY_PATH = {page.path: page for page in PAGES}
PARSER = MarkdownIt("commonmark").enable("table")


@dataclass
class Section:
    """What stands below one heading, as it is read: the texts, and each table's rows of cells."""

    lines: list[str] = field(default_factory=list)
    tables: list[list[list[str]]] = field(default_factory=list)

    @property
    def rows(self) -> dict[str, list[str]]:
        """Every row of every table, by its first cell."""
        return {row[0]: row for table in self.tables for row in table[1:]}


def read_markdown(text: str) -> dict[str, Section]:
    """The sections of a page by their headings."""
    sections: dict[str, Section] = {"": Section()}
    section = sections[""]
    above = ""
    for token in PARSER.parse(text):
        if token.type == "inline" and above == "heading_open":
            section = sections.setdefault(read_inline(token), Section())
        elif token.type == "inline" and above in {"th_open", "td_open"}:
            section.tables[-1][-1].append(read_inline(token))
        elif token.type == "inline":
            section.lines.append(read_inline(token))
        elif token.type == "fence":
            section.lines.append(token.content.rstrip("\n"))
        elif token.type == "table_open":
            section.tables.append([])
        elif token.type == "tr_open":
            section.tables[-1].append([])
        above = token.type
    return sections


def read_inline(token: Token) -> str:
    return "".join(part.content for part in token.children or ())


def spell(text: str) -> str:
    """A help text as a reader sees it: what is typed is set in another face, not in quotes."""
    return "".join(span.text for span in split_typed(text))


SECTIONS = read_markdown(format_reference(PAGES))


# One page of Markdown


def test_the_reference_of_the_clients_is_current() -> None:
    assert CLIENTS.read_text() == format_clients(), "run `make generate`"


def test_the_reference_of_the_clients_tells_of_every_call() -> None:
    text = CLIENTS.read_text()
    calls = {client: list(find_calls(client("http://h"))) for client in CLASSES}
    names = [{call.name.replace("aclose", "close") for call in found} for found in calls.values()]
    assert names[0] == names[1]
    assert len(names[0]) > 20
    for call in (call for found in calls.values() for call in found):
        assert call.method.__doc__, call.name
        assert f"`{call.shown}`" in text


def test_the_reference_is_current() -> None:
    assert REFERENCE.read_text(encoding="utf-8") == format_reference(PAGES), "make generate"


def test_every_command_has_its_section_and_its_place_in_the_contents() -> None:
    names = [page.name for page in COMMANDS]
    shared = ["Global options", "Environment", "Files", "Exit codes"]
    assert list(SECTIONS) == ["", "Commands", *names, *shared]
    links = re.findall(r"\]\(#(.*?)\)", REFERENCE.read_text(encoding="utf-8"))
    anchors = [name.lower().replace(" ", "-") for name in (*names, *shared)]
    assert links == ["global-options", *anchors]


@pytest.mark.parametrize("page", COMMANDS, ids=lambda page: page.slug)
def test_a_section_says_what_the_help_says(page: Page, run_alone: CommandLine) -> None:
    """The help that the command prints is the witness: all its options, and no other words than its own."""
    section = SECTIONS[page.name]
    shown = run_alone(f"{' '.join(page.path)} --help").out.partition("Global options:")[0]

    options = shown.partition("\nOptions:")[2]
    names = re.findall(r"^  (-[^\s,]+(?:, --[\w-]+)?)", options, re.MULTILINE)
    assert {*names, *(name for e in page.arguments for name in e.names)} - {"-h, --help"} == {
        name for name in section.rows if name not in {child.word for child in page.children}
    }
    for text in section.lines[1:]:
        assert squash(text) in squash(shown)
    entries = (*page.arguments, *page.options)
    for entry in entries:
        assert squash(spell(entry.meaning)).rstrip(".") in squash(shown)
    whole = " ".join(shown.split())
    assert re.findall(r"\[default: (.*?)[;\]]", whole) == [e.default for e in entries if e.default]
    assert len(re.findall(r"[\[ ]required\]", whole)) == sum(e.required for e in entries)


def squash(text: str) -> str:
    """The text without white space, and quotes."""
    return re.sub(r"[\s`'\b]", "", text)


@pytest.mark.parametrize("page", COMMANDS, ids=lambda page: page.slug)
def test_the_tables_of_a_command_are_whole(page: Page) -> None:
    rows = SECTIONS[page.name].rows
    node = next(node for node in NODES if node.path == page.path)
    many = {flag.names[::-1] for flag in node.flags if flag.many}
    many |= {(argument.name,) for argument in node.arguments if argument.many}

    for entry in (*page.options, *page.arguments):
        row = rows[", ".join(entry.names)]
        assert spell(entry.meaning) in row[-1]
        assert ("Repeatable." in row[-1]) == (entry.names in many)
        for said in (entry.default, entry.limits, *(entry.choices or [entry.value])):
            assert said in " ".join(row)
        assert any(cell in {"required", "yes"} for cell in row) == entry.required
    for child in page.children:
        assert rows[child.word][-1] == spell(child.meaning)
        assert all(alias in rows[child.word][1] for alias in child.aliases)
    assert len(rows) == len(page.options) + len(page.arguments) + len(page.children)


def test_global_options_name_the_variables_and_fields_that_stand_in_for_them() -> None:
    rows = SECTIONS["Global options"].rows
    for entry in read_options(GLOBAL):
        assert spell(entry.meaning) in rows[", ".join(entry.names)]
    assert rows["--timeout"][2:5] == ["30s", "SPECTRONCTL_TIMEOUT", "timeout"]
    assert rows["--api-key-file"][2:5] == ["", "SPECTRONCTL_API_KEY_FILE", "api_key_file"]
    assert "SPECTRON_MGMT_KEY" in rows["--api-key"][3]
    assert rows["proxy"] == ["proxy", "SPECTRONCTL_PROXY", "", "Connect through this proxy."]


CHARACTERS = 'ab *_<>[]()#!&;|\\~$+-=.1:/"@{}^%,?\N{HORIZONTAL ELLIPSIS}'
MARKUP = st.lists(st.sampled_from([*CHARACTERS, "&lt;", "<b>", "](x)", "**"]), min_size=1).map(
    lambda parts: " ".join("".join(parts).split())
)


@given(MARKUP.filter(bool))
def test_no_text_is_taken_for_markup(text: str) -> None:
    entry = Entry(("--name",), text, value=text, default=text)
    page = replace(
        BY_PATH["contexts", "list"],
        options=(entry,),
        description=(Paragraph(text), Paragraph(text, keeps_lines=True)),
    )
    section = read_markdown(_format_page(page))[page.name]
    assert section.lines == [page.synopsis, spell(text), text]
    assert section.tables[0][1] == ["--name", text, text, spell(text)]


def test_what_is_typed_is_told_from_what_is_said() -> None:
    text = "A key's end: see 'keys rotate', `local`, --wait or -o json; not a-b, - or 'til."
    typed = [span.text for span in split_typed(text) if span.is_typed]
    assert typed == ["keys rotate", "local", "--wait", "-o json"]
    assert list(split_typed("")) == []
    assert list(split_typed("plain")) == [Span("plain")]
    assert [end_sentence(words) for words in ("a", "a.", "")] == ["a.", "a.", ""]
    assert parse_paragraphs("One\nline.\n\n\b\nkeep\n  these\n") == (
        Paragraph("One line."),
        Paragraph("keep\n  these", keeps_lines=True),
    )


# What holds for every command


def test_every_variable_that_the_program_knows_is_told_of() -> None:
    known = {name for names in VARIABLES for name in names}
    known |= {name for setting in parse_settings(PAGES) for name in setting.env}
    sources = "".join(path.read_text() for path in (ROOT / "spectronctl").rglob("*.py"))
    handed_out = r"(?!SPECTRON_API_KEY_)"  # by serve exec, one for each key of a seed
    named = set(re.findall(rf"\b{handed_out}SPECTRON(?:CTL)?_[A-Z_]+[A-Z]\b", sources))
    asked = set(re.findall(r"\benv(?:iron)?\.get\(\"([A-Z_]+)\"", sources))
    assert (named | asked) - {"HOME", "PATH", "SPECTRONCTL_SOAK"} <= known  # the last is for tests
    assert {name for name in known if name.startswith("SPECTRON")} <= named


def test_the_exit_codes_are_those_of_the_guide() -> None:
    rows = re.findall(r"^\| (\d+) \| (.*?) \|", GUIDE_TO_OUTPUT.read_text(), re.MULTILINE)
    told = {int(code): set(re.findall(r"`(\w+)`", kinds)) for code, kinds in rows}
    assert {ending.code: set(ending.kinds) for ending in read_endings()} == told


def test_every_option_that_asks_for_an_exit_code_is_told_with_it() -> None:
    told = SECTIONS["Exit codes"].rows[str(FOUND)][-1]
    asking = {name for page in PAGES for e in page.options for name in e.names} & {
        "--exit-code",
        "--check-server",
    }
    assert set(re.findall(r"--[\w-]+", told)) == asking
    guide = GUIDE_TO_OUTPUT.read_text()
    assert f"| {FOUND} | | {told[0].lower()}{told[1:].rstrip('.')} |" in guide.replace("`", "")


def test_the_files_are_where_the_program_looks(run_alone: CommandLine) -> None:
    path = run_alone("profiles path").out.strip()
    assert path.replace(str(run_alone.home), "~") in read_files()


# The command that writes them


def test_both_forms_are_the_same_bytes_wherever_they_are_written(tmp_path: Path) -> None:
    odd = {"COLUMNS": "20", "LC_ALL": "C", "TERM": "dumb", "HOME": "/nowhere", "CI": "1", "TZ": "X"}
    forms = {"markdown": "docs/x.md", "man": "man1", "python": "docs/python.md"}
    for form, path in forms.items():
        module = [sys.executable, "-m", "tools.reference", form, str(tmp_path / path)]
        subprocess.run(module, env=odd, cwd=ROOT, check=True)
    assert (tmp_path / "docs" / "x.md").read_bytes() == REFERENCE.read_bytes()
    assert (tmp_path / "docs" / "python.md").read_bytes() == CLIENTS.read_bytes()
    written = {path.name: path.read_text("ascii") for path in (tmp_path / "man1").iterdir()}
    assert written == MAN


# A man page per command


MAN = {f"{page.slug}.1": write_page(page, PAGES) for page in PAGES}
MACROS = {".TH", ".nh", ".ad", ".SH", ".PP", ".TP", ".nf", ".fi"}
TITLES = [
    "NAME",
    "SYNOPSIS",
    "DESCRIPTION",
    "COMMANDS",
    "ARGUMENTS",
    "OPTIONS",
    "GLOBAL OPTIONS",
    "EXIT STATUS",
    "ENVIRONMENT",
    "FILES",
    "SEE ALSO",
]


@pytest.fixture(scope="module")
def man(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("man") / "man1"
    folder.mkdir()
    for name, text in MAN.items():
        (folder / name).write_text(text)
    return folder


def read_sections(page: str) -> dict[str, list[str]]:
    parts = re.split(r'^\.SH "(.*)"\n', page, flags=re.MULTILINE)
    return {title: body.splitlines() for title, body in zip(parts[1::2], parts[2::2], strict=True)}


def read_plain(line: str) -> str:
    """A line of roff without its escapes."""
    line = re.sub(r"\\f[BIR]|\\&", "", line)
    named = {r"\-": "-", r"\(aq": "'", r"\(dq": '"', r"\(ti": "~", r"\(ga": "`", r"\(ha": "^"}
    for escape, character in named.items():
        line = line.replace(escape, character)
    return line.replace(r"\e", "\\")


def spell_dots(text: str) -> str:
    return text.replace("\N{HORIZONTAL ELLIPSIS}", "...")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug)
def test_a_man_page_is_well_formed(page: Page) -> None:
    text = MAN[f"{page.slug}.1"]
    sections = read_sections(text)

    assert [title for title in TITLES if title in sections] == list(sections)
    assert {"NAME", "SYNOPSIS", "DESCRIPTION", "GLOBAL OPTIONS", "EXIT STATUS"} <= set(sections)
    assert read_plain(sections["NAME"][0]) == spell_dots(f"{page.slug} - {page.summary}")
    assert read_plain(sections["SYNOPSIS"][0]) == spell_dots(page.synopsis)
    for line in text.splitlines():
        assert not line.startswith(".") or line.split()[0] in MACROS, line
        assert not line.startswith("'")
        assert not re.search(r"(?<!\\)-|\\(?![-e&]|f[BIR]|\([a-z]{2})", line), line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug)
def test_a_man_page_tells_of_every_option_and_argument(page: Page) -> None:
    sections = read_sections(MAN[f"{page.slug}.1"])
    for title, entries in (("OPTIONS", page.options), ("ARGUMENTS", page.arguments)):
        lines = list(map(read_plain, sections.get(title, [])))
        tags = [spell_dots(f"{', '.join(e.names)} {e.value}".strip()) for e in entries]
        assert lines[1::3] == tags
        for entry, line in zip(entries, lines[2::3], strict=True):
            assert line.startswith(spell_dots(spell(entry.meaning)))
            assert (f"Default: {entry.default}." in line) == bool(entry.default)
            assert ("Required." in line) == entry.required
    tells_by_code = {"--exit-code", "--check-server"}
    assert any(tells_by_code.intersection(e.names) for e in page.options) == page.ends_with_found
    codes = [read_plain(line) for line in sections["EXIT STATUS"][1::3]]
    assert ("20" in codes) == (page.ends_with_found or not page.path)


def test_a_man_page_names_only_pages_that_there_are() -> None:
    for text in MAN.values():
        named = re.findall(r"([\w-]+)\(1\)", read_plain(text))
        assert named
        assert {f"{name}.1" for name in named} <= set(MAN)


def need(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path


def test_groff_warns_of_nothing(man: Path) -> None:
    command = [need("groff"), "-man", "-ww", "-z", "-Tutf8", *sorted(map(str, man.iterdir()))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_mandoc_misses_nothing_but_a_date(man: Path) -> None:
    """There is none, so that the same commands make the same bytes on every day."""
    command = [need("mandoc"), "-T", "lint", "-W", "warning", *sorted(map(str, man.iterdir()))]
    done = subprocess.run(command, capture_output=True, text=True)
    complaints = done.stdout.splitlines() + done.stderr.splitlines()
    assert len(complaints) == len(MAN)
    assert [line for line in complaints if "missing date" not in line] == []


def test_man_finds_a_page_by_its_name(man: Path) -> None:
    env = {"MANPATH": str(man.parent), "MANWIDTH": "100", "PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    command = [need("man"), "-P", "cat", "spectronctl-keys-rotate"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    shown = re.sub(r".\x08", "", done.stdout)
    assert "spectronctl keys rotate [OPTIONS] [KEY]" in shown
    assert "--drain DURATION" in shown


HOSTILE = (
    ".so /etc/passwd",
    "'br",
    ".",
    r"a\fBb \n(.g \*[x] \e \" \\",
    '--a-b -c ^~`x` "quoted" it\'s {x} $HOME % # <a> &lt; | *_',
    "\\",
    "trailing \\",
)


def render(text: str) -> Iterator[str]:
    command = [need("groff"), "-man", "-ww", "-Tutf8", "-P-cbou", "-rLL=200n"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return (line.strip() for line in done.stdout.splitlines())


def test_no_text_is_taken_for_a_request() -> None:
    entries = tuple(Entry((f"--{number}",), text) for number, text in enumerate(HOSTILE))
    kept = Paragraph("\n".join(HOSTILE), keeps_lines=True)
    page = replace(
        BY_PATH["contexts", "list"],
        summary="'x' .y \\z",
        options=entries,
        description=(*map(Paragraph, HOSTILE), kept),
    )
    lines = list(render(write_page(page, PAGES)))
    assert r"spectronctl-contexts-list - 'x' .y \z" in lines
    for text in HOSTILE:
        assert lines.count(" ".join(spell(text).split())) >= 1, text
        assert lines.count(text) >= 1, text
