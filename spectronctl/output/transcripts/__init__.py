"""Transcripts: a session and its turns in the formats of `sessions transcript`, and the files that hold them."""

from __future__ import annotations

from spectronctl.output.transcripts._files import TranscriptFile
from spectronctl.output.transcripts._formats import FORMATS, format_transcript

__all__ = ["FORMATS", "TranscriptFile", "format_transcript"]
