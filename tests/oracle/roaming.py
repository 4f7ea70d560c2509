"""Roaming (protocol.md, sections 6 and 7): what is said inside a session about a new address."""

from . import blocks

CHALLENGE, RESPONSE = b"\2", b"\3"  # what such a control block begins with
NONCE = 16


def challenge(nonce: bytes) -> blocks.Block:
    assert len(nonce) == NONCE
    return blocks.Block(blocks.CONTROL, CHALLENGE + nonce)


def response(nonce: bytes) -> blocks.Block:
    assert len(nonce) == NONCE
    return blocks.Block(blocks.CONTROL, RESPONSE + nonce)


def nonce_in(block: blocks.Block, kind: bytes) -> bytes | None:
    """Of a control block of this kind, which is CHALLENGE or RESPONSE."""
    if block.kind != blocks.CONTROL or block.data[:1] != kind or len(block.data) != 1 + NONCE:
        return None
    return block.data[1:]
