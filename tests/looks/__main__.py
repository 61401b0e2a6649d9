"""Write what is seen anew: `python -m tests.looks`, or `make looks`."""

from __future__ import annotations

from tests.looks.files import FILES, FOLDER


def main() -> None:
    """Write every file; look at what `git diff` says of it."""
    for name, draw in FILES.items():
        path = FOLDER / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
