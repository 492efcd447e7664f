"""A seller's words in a pull request comment."""

import pytest

from discosync.render.markdown import escape


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a | b", r"a \| b"),
        ("[x](y)", r"\[x\](y)"),
        ("`code` *b* _i_ ~s~ # h", r"\`code\` \*b\* \_i\_ \~s\~ \# h"),
        ("<img>", "&lt;img>"),
        ("&lt;", "&amp;lt;"),
        ("@someone", "@\u200bsomeone"),
        (r"back\slash", r"back\\slash"),
    ],
)
def test_text_becomes_no_markup(text: str, written: str) -> None:
    """No cell ends early, no link or image appears, and nobody is mentioned."""
    assert escape(text) == written
