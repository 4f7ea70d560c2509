"""The protocol a second time, in Python, written from docs/protocol.md alone.

It shares no code with the programs, so that where the two agree, the page has said enough.
Nothing here opens a socket but `endpoint`; everything else takes bytes and a clock.

exchange    key exchanges, one table row each
suites      protections and suites, one table row each
keys        the key schedule
messages    the four messages as fields and as bytes
identity    who signs a handshake, and whose signature it takes
parameters  the 128 sealed bytes, and what two sets of them agree on
cookie      what R gives instead of keeping state
initiator   I's state machine
responder   R's state machine
frames      sealing and opening
blocks      packets in frames
roaming     challenges of a new address, and the answers
pipe        the protocol of pipes, which is spiped's
session     what a handshake yields: SAs to seal and open with
endpoint    all of it behind one UDP socket
"""
