"""Texts that somebody may pass where a plain one is meant, by the class of trouble that they stand for."""

from __future__ import annotations

CLASSES: dict[str, tuple[str, ...]] = {
    "line breaks and controls": (
        *("\r\nBcc: eve@example.org", "\n", "\r", "\r\n\r\n<h1>", "\0", "a\0b", "\x01", "\x08", "\x0b", "\x0c", "\x1b[2J", "\x7f"),
        *("\x80", "\x85", "\x9b2J", "\u2028", "\u2029", "\n.\r\nMAIL FROM:<eve@example.org>"),
    ),
    "encoded words": (
        *("=?utf-8?q?=0D=0ABcc:_eve@example.org?=", "=?utf-8?b?QmNjOiBl?=", "=? utf-8 ?Q?x?=", "a =?iso-8859-1?q?=E4?= b", "=?", "?=", "=?=?="),
        *("=?utf-8?q?a", "=?utf-8*en?Q?x?="),
    ),
    "lone surrogates": ("\ud800", "a\udfffb", "\ud83d", "\udc80\udcff", "\ud83d\ude00"),
    "bidi and invisible": (
        *("\u202egro.elpmaxe@ave", "\u2066a\u2069", "\u200b", "a\u200bb", "\ufeff", "\u2060", "\u200e", "\u200d", "\xad", "\u115f", "\ufff9x"),
        *("\u2800", "\u180e", "\U000e0041"),
    ),
    "specials of addresses": (
        *("Lovelace, Ada", '"', "\\", '\\"', 'x" <eve@example.org>, "y', "ada@example.org", "Eve <eve@example.org>", "(a comment)", ";", ":"),
        *("<", ">", "<>", "@", "[", "]", "a,b", "mailto:ada@example.org"),
    ),
    "more than one address": (
        *("a@example.org, b@example.org", "a@example.org;b@example.org", "Friends: a@example.org;", "undisclosed-recipients:;"),
        *("@relay.example:ada@example.org", "ada@example.org<eve@example.com>", "<ada@example.org>", "ada%eve.com@example.org"),
        *("ada(eve)@example.org", "eve.com!ada@example.org", "a@b@example.org", " ada@example.org", "ada@example.org ", "ada@example.org\t"),
    ),
    "odd local parts and domains": (
        *('"ada lovelace"@example.org', '""@example.org', "ada..l@example.org", ".ada@example.org", "ada.@example.org", "@example.org", "ada@"),
        *("ada@[127.0.0.1]", "ada@[IPv6:::1]", "ada@localhost", "ada@example", "ada@example.org.", "ada@-a.example", "ada@a-.example"),
        *("ada@exa_mple.org", "ada@127.0.0.1", "ada@example..org", "ada@.example.org", "ada@xn--a", "ada@xn--a.example"),
    ),
    "limits": (
        *("a" * 64 + "@example.org", "a" * 65 + "@example.org", "ä" * 32 + "@example.org", "ä" * 33 + "@example.org"),
        *("ada@" + "d" * 63 + ".org", "ada@" + "d" * 64 + ".org", "ada@" + ".".join(["d" * 62] * 4), "a" * 255, "a" * 256, "a" * 257),
        *("a" * 500, "a" * 501, "w" * 998, "w " * 600, "ü" * 1000, "漢" * 255, "a@" + "d" * 250 + ".org", "\u0300" * 300),
    ),
    "international": (
        *("ada@bücher.example", "ada@BÜCHER.example", "ada@straße.example", "jürgen@example.org", "用户@例え.jp", "ada@xn--bcher-kva.example"),
        *("ada@b\u0308ucher.example", "ada\u037e@example.org", "ada@example\u3002org", "ada\uff20example.org", "ada@\u2100.example", "ada@ex\u00adample.org"),
        *("ada@☃.example", "\u0130@example.org", "ada@faß.de", "e\u0301@example.org", "ada@۱.example"),
    ),
    "bodies": (
        *("\n.\n", ".", "..", "\r\n.\r\n", "\n.\r\n", "\r.\r", ".\nMAIL", "\nFrom me", "x" * 999, "x" * 2_000, "\r\r\n\n", " \n", "\t\n"),
        *("--=_x--", "=3D", "=\n", "\n\n\n", "<script>", "&amp;", "{{ name }}", "{% raw %}", "漢" * 500),
    ),
    "names of other things": (
        *("", " ", "  ", "\t", "../welcome", "/etc/passwd", "welcome/../welcome", "WELCOME", "wel come", "con", "welcome\0", "%s", "${name}", "None"),
        *("'; drop table mail_deliveries; --", "$1", "\\x00", "\\u0000", "%00", "{}", "-", "--", "Bcc", "Bcc: x", "Content-Type"),
    ),
}  # fmt: skip

MARK = "s3cret"
"""What an error must not repeat. It is put before a hostile text, for a parser may give up at the first bad character."""


def texts(name: str) -> list[str]:
    """The texts of a class, plain and with the mark before and behind."""
    return [text for each in CLASSES[name] for text in (each, f"{MARK}{each}", f"{each}{MARK}")]
