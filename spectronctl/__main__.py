"""`python -m spectronctl`"""

from spectronctl.cli import enter

enter()
