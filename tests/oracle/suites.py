"""Protections and suites (protocol.md, section 2, "Suites")."""

from dataclasses import dataclass

from .exchange import EXCHANGES, Exchange


@dataclass(frozen=True)
class Protection:
    number: int
    name: str
    encrypt_size: int
    mac_size: int  # 0: not derived
    shortest_tag: int
    longest_tag: int
    mac_hash: str = ""  # of the CTR protections


PROTECTIONS = {
    row.number: row
    for row in (
        Protection(1, "AES256_CTR-SHA256", 32, 32, 12, 32, "sha256"),
        Protection(2, "AES128_CTR-SHA256", 16, 32, 12, 32, "sha256"),
        Protection(3, "AES256_CTR-SHA384", 32, 48, 12, 48, "sha384"),
        Protection(4, "AES256_GCM", 32, 0, 16, 16),
        Protection(5, "CHACHA20_POLY1305", 32, 0, 16, 16),
        Protection(255, "NULL", 0, 0, 0, 0),
    )
}


@dataclass(frozen=True)
class Suite:
    exchange: Exchange
    protection: Protection

    @property
    def number(self) -> int:
        return self.exchange.number << 8 | self.protection.number

    @property
    def name(self) -> str:
        return f"{self.exchange.name}-{self.protection.name}"

    def fitted_tags(self, tag: int, min_tag: int) -> tuple[int, int]:
        """`tag` and `min_tag` as a side writes them for this suite (section 4)."""
        has = self.protection
        nearest = min(max(tag, has.shortest_tag), has.longest_tag)
        if has.longest_tag == 0:
            return 0, 0
        return nearest, max(min_tag, has.shortest_tag)


SUITES = {
    suite.number: suite
    for suite in (Suite(e, p) for e in EXCHANGES.values() for p in PROTECTIONS.values())
}


def suite(name: str) -> Suite:
    return next(one for one in SUITES.values() if one.name == name)
