"""Bodies come back exactly, whatever they hold, and give no gateway a reason to touch them."""

from __future__ import annotations

import base64
import binascii
import quopri
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from galaxy_mail.domain.bodies import MAX_ENCODED_LINE, MAX_PLAIN_LINE, encode_text
from tests.domain.mime_reader import one_newline
from tests.domain.mime_strategies import body_texts

# Two decoders of each kind, in C and in Python, where the library has two.
DECODERS: dict[str, list[Callable[[bytes], bytes]]] = {
    "7bit": [bytes],
    "quoted-printable": [binascii.a2b_qp, quopri.decodestring],
    "base64": [binascii.a2b_base64, base64.decodebytes],
}
nearly_plain = st.text("abcdefghijk .=\n\tF-_", max_size=400)
nearly_ascii = st.text("abcdefghijklmnopqrstuvwxyz.ü \n", max_size=400)
texts = body_texts | nearly_plain | nearly_ascii


@given(texts, st.booleans())
def test_every_decoder_returns_the_text(text: str, closed: bool) -> None:
    """Octet for octet, with CRLF for each line break."""
    encoding, body = encode_text(text, "text", closed=closed)
    wanted = one_newline(text).replace("\n", "\r\n").encode()
    assert [decode(body) for decode in DECODERS[encoding]] == [wanted] * len(DECODERS[encoding])


@example(text="x" * 76, closed=True)
@given(texts, st.booleans())
def test_no_line_gives_cause_to_be_touched(text: str, closed: bool) -> None:
    """Short lines of printable ASCII without a leading dot, a leading ``From `` or trailing white space; CRLF only."""
    encoding, body = encode_text(text, "text", closed=closed)
    lines = body.split(b"\r\n")
    assert max(map(len, lines)) <= (MAX_PLAIN_LINE if encoding == "7bit" else MAX_ENCODED_LINE)
    for line in lines:
        assert line.isascii()
        assert line.decode().replace("\t", " ").isprintable()
        assert not line.startswith((b".", b"From "))
        assert line == line.rstrip()


@given(texts, st.booleans())
def test_no_body_holds_what_a_boundary_begins_with(text: str, closed: bool) -> None:
    """``=_`` stands in no encoded body, so a delimiter cannot."""
    assert b"=_" not in encode_text(text, "text", closed=closed)[1]


@given(texts)
def test_a_closed_body_ends_its_last_line(text: str) -> None:
    """It can end a message: empty, or with CRLF at its end, though the text may have none."""
    _, body = encode_text(text, "text", closed=True)
    assert body == b"" or body.endswith(b"\r\n")


@given(st.text("abc ü漢😀=\n", max_size=200))
def test_the_shorter_encoding_is_chosen(text: str) -> None:
    """What needs encoding is never longer than in base64, but for soft line breaks."""
    encoding, body = encode_text(text, "text", closed=False)
    if encoding == "quoted-printable":
        data = one_newline(text).encode()
        unbroken = body.replace(b"=\r\n", b"").replace(b"\r\n", b"\n")
        # Not counted in advance: what stands at the ends of lines and is quoted besides.
        mended = unbroken.count(b"=20\n") + unbroken.endswith(b"=20")
        assert len(unbroken) - 2 * mended <= len(data) * 4 // 3


@pytest.mark.parametrize(
    "text, encoding",
    [
        ("", "7bit"),
        ("Hello Ada,\n\n\tyour code is 493817.\n", "7bit"),
        ("x" * 78 + "\n", "7bit"),
        ("x" * 79 + "\n", "quoted-printable"),
        ("Hello ", "quoted-printable"),
        ("Hello\t\nAda", "quoted-printable"),
        ("Hello\n.\n", "quoted-printable"),
        (".btn { color: red }\n", "quoted-printable"),
        ("a\nFrom here\n", "quoted-printable"),
        ("From here\n", "quoted-printable"),
        ("--=_x\n", "quoted-printable"),
        ("a\x0cb, a form feed within a long enough line\n", "quoted-printable"),
        ("Grüße aus Wien an alle\n", "quoted-printable"),
        ("漢字かな交じり文です。\n", "base64"),
        ("Привет!\n", "base64"),
        ("=" * 80, "base64"),
    ],
)
def test_the_plainest_encoding_that_suffices(text: str, encoding: str) -> None:
    """Plain for plain lines, quoted-printable for what is nearly so, base64 for other scripts."""
    assert encode_text(text, "text", closed=False)[0] == encoding


@pytest.mark.parametrize("special", ["=", "ü", ".", "From ", " ", "\t", "a"])
@pytest.mark.parametrize("after", ["", "\n", " \n", "." * 5, "x" * 80])
def test_line_ends_fall_anywhere(special: str, after: str) -> None:
    """Whatever a line's limit hits: an escape is not split, and what comes to begin or end a line is mended."""
    for before in range(60, 80):
        text = f"ü{'x' * before}{special}{after}"
        encoding, body = encode_text(text, "text", closed=False)
        assert encoding == "quoted-printable"
        assert binascii.a2b_qp(body) == text.replace("\n", "\r\n").encode()
        for line in body.split(b"\r\n"):
            assert len(line) <= MAX_ENCODED_LINE
            assert not line.startswith((b".", b"From "))
