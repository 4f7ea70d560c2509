"""Reports (protocol.md, section 7, "Reports"): what became of the frames of one lane."""

import dataclasses
import struct

from . import blocks

REPORT = b"\4"  # what such a control block begins with
FIELDS = struct.Struct(">BxH4xQQQQQQQ")


@dataclasses.dataclass(frozen=True)
class Report:
    lane: int = 0
    next: int = 0
    admitted: int = 0
    marked: int = 0
    events: int = 0
    clock: int = 1
    echo: int = 0
    held: int = 0  # nanoseconds

    def encode(self) -> bytes:
        return FIELDS.pack(REPORT[0], *dataclasses.astuple(self))

    def block(self) -> blocks.Block:
        return blocks.Block(blocks.CONTROL, self.encode())

    def holds_together(self) -> bool:
        return (
            self.marked <= self.admitted <= self.next
            and self.events <= self.next
            and (self.admitted == 0) == (self.next == 0)
            and self.clock > 0
            and (self.echo > 0 or self.held == 0)
        )


def read(content: bytes) -> Report | None:
    """Of a control block's content; None when it is no report, or a malformed one."""
    if len(content) != FIELDS.size or content[:1] != REPORT:
        return None
    report = Report(*FIELDS.unpack(content)[1:])
    return report if report.encode() == content and report.holds_together() else None
