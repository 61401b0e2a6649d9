"""
The reference of every command, made from the command tree: one source, two forms.

    python -m spectronctl.cli._reference markdown FILE        what `make generate` writes as docs/commands.md
    python -m spectronctl.cli._reference man DIRECTORY        what `make man` writes: one page per command

`_pages` says what there is to tell about a command, `_shared` what holds for all of them; `_markdown` and `_roff` write
it down.
"""
