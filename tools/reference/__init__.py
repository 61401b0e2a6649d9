"""
The reference of every command, made from the command tree in two forms, and that of the Python clients.

    python -m tools.reference markdown FILE        what `make generate` writes as docs/commands.md
    python -m tools.reference man DIRECTORY        what `make man` writes: one page per command
    python -m tools.reference python FILE          what `make generate` writes as docs/python.md

`pages` says what there is to tell about a command, `shared` what holds for all of them; `markdown` and `roff` write
it down. `python` reads the clients' signatures and docstrings.
"""
