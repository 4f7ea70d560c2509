"""What a handshake yields (protocol.md, sections 2, 4 and 7): one secret, and from it the SAs."""

from dataclasses import dataclass, field

from . import keys
from .frames import PATH_PROBE, Opener, Sealer
from .parameters import Agreement, Parameters
from .suites import Suite


@dataclass(frozen=True)
class Session:
    id: bytes  # T4
    secret: bytes = field(repr=False)
    suite: Suite
    is_initiator: bool
    ours: Parameters
    theirs: Parameters
    agreed: Agreement

    def sealer(self, lane: int = 0) -> Sealer:
        """A new one counts from 0: make one for each lane, once."""
        outbound = keys.I_TO_R if self.is_initiator else keys.R_TO_I
        encrypt, mac = self.sa_keys(outbound, lane)
        spi = self.theirs.spi_base + lane
        return Sealer(self.suite.protection, encrypt, mac, spi, self.agreed.frame, self.agreed.tag)

    def opener(self, lane: int = 0) -> Opener:
        inbound = keys.R_TO_I if self.is_initiator else keys.I_TO_R
        encrypt, mac = self.sa_keys(inbound, lane)
        spi = self.ours.spi_base + lane
        return Opener(self.suite.protection, encrypt, mac, spi, self.agreed.frame, self.agreed.tag)

    def probe_sealer(self) -> Sealer:
        """Of path probes; the caller sets the size of each."""
        outbound = keys.I_TO_R if self.is_initiator else keys.R_TO_I
        encrypt, mac = self.sa_keys(outbound, 0, keys.PROBE_ENCRYPT)
        spi, tag = self.theirs.spi_base, self.agreed.tag
        return Sealer(self.suite.protection, encrypt, mac, spi, 0, tag, PATH_PROBE)

    def probe_opener(self) -> Opener:
        inbound = keys.R_TO_I if self.is_initiator else keys.I_TO_R
        encrypt, mac = self.sa_keys(inbound, 0, keys.PROBE_ENCRYPT)
        spi, tag = self.ours.spi_base, self.agreed.tag
        return Opener(self.suite.protection, encrypt, mac, spi, 0, tag, PATH_PROBE)

    def sa_keys(
        self, direction: int, lane: int, first: int = keys.ENCRYPT
    ) -> tuple[bytes, bytes]:
        """Encryption key and MAC key, of purpose `first` and the next; empty where the suite has
        none."""
        has = self.suite.protection
        encrypt, mac = (
            keys.sa_key(self.secret, self.id, direction, lane, purpose, size)
            for purpose, size in ((first, has.encrypt_size), (first + 1, has.mac_size))
        )
        return encrypt, mac
