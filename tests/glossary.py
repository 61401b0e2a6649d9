"""The words of help and messages, as data: what not to write, and what to write in its place."""

from __future__ import annotations

import re

GLOSSARY = {
    r"nobody|whoever|somebody|anybody|anyone|someone": "the user, another process, the operator, ...",
    r"(?:the|an|no|its|complete|whole) answers?": "response, or result for what a command prints",
    r"exists already|was there already|is there already|there already": "already exists",
    r"no way back": "cannot be undone",
    r"nobody is there|not at a terminal": "the session is not interactive",
    r"contradict each other|exclude each other": "cannot be used together",
    r"is no (?:seed|ontology|regular file|command line|field|line|time|character)|are no names": "is not a ...",
    r"lies in the past": "is in the past",
    r"wants? (?:a|an|the)\b": "needs",
    r"mend": "fix",
    r"anew": "again",
    r"travels?": "is sent",
}
"""Patterns of whole words; the case does not count."""

IMPERATIVES = frozenset(
    re.findall(
        r"\w+",
        """
    Add Allow Answer Append Ask Bind Cancel Change Check Choose Clear Clone Compare Confirm Connect Continue
    Create Delete Do Edit Embed Erase Exit Expire Fail Find Finish Follow Get Give Grant Keep Let Limit List Listen
    Log Maintain Make Manage Operate Pipe Print Process Put Read Remove Replace Report Request Resume Retry
    Revoke Rotate Run Save Seal Select Send Set Show Skip Sort Start Stop Tag Trust Use Wait Write
        """,
    )
)
"""The verbs that a help line may begin with; each of them occurs."""

UNITS = {
    "DURATION": r"duration|for this long",
    "TIME": r"\btime\b",
    "N": r"\bitems|times|tokens|days|hours|rows|turns|rotations|requests|contexts|findings|failures|number \(seq\)",
    "X": r"\bsimilarity, from 0 to 1",
    "PORT": r"\bport\b",
}
"""What the help of an option must name, by the metavar of its value."""
