"""Where a minted secret goes: made ready before the secret exists, so that none is minted in vain."""

from spectronctl.output.sinks._files import check_file
from spectronctl.output.sinks._group import SinkGroup, check_secret_output
from spectronctl.output.sinks._sink import Sink, open_sink
from spectronctl.output.sinks.places import (
    Place,
    check_distinct,
    read_command,
    read_file,
    read_variable,
)

__all__ = [
    "Place",
    "Sink",
    "SinkGroup",
    "check_distinct",
    "check_file",
    "check_secret_output",
    "open_sink",
    "read_command",
    "read_file",
    "read_variable",
]
