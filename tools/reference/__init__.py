"""
The reference of every command, made from the command tree: one source, two forms.

    python -m tools.reference markdown FILE        what `make generate` writes as docs/commands.md
    python -m tools.reference man DIRECTORY        what `make man` writes: one page per command

`pages` says what there is to tell about a command, `shared` what holds for all of them; `markdown` and `roff` write
it down.
"""
