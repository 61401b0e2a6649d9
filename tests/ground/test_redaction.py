"""Promises of ground/redaction.py."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from spectronctl.ground.redaction import MASK, Redaction


def test_a_mask_that_completes_another_secret_takes_the_whole_text_along() -> None:
    assert Redaction(["sk-1", "]-tail"]).apply("key: sk-1-tail") == MASK


@settings(deadline=None)
@given(
    key=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1),
    provider=st.text(min_size=1),
    text=st.text(),
    data=st.data(),
)
def test_redaction_never_leaves_a_secret(
    key: str, provider: str, text: str, data: st.DataObject
) -> None:
    assume(key not in MASK and provider not in MASK)
    noise = st.one_of(st.just(key), st.just(provider), st.just("\x00".join(key)), st.text())
    told = text + "".join(data.draw(st.lists(noise)))
    shown = Redaction([key, provider]).apply(told, limit=10_000)
    assert key not in shown
    assert provider not in shown or not provider.strip()
    assert shown.isprintable()
