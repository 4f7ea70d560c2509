"""The laboratory: two hosts, two sites and a wire in network namespaces on one machine.

    host-a --- site-a === wire === site-b --- host-b

namespaces  one namespace: made, entered, removed
network     the five of them and their cables
site        one site: its files, its processes, its status
pair        both sites, and their books
traffic     what ordinary hosts send
raw         what ordinary hosts cannot send: any bytes at all
eavesdropper (and ring)  everybody on the wire who listens
recorder, wire_features, classifier  one who records times and looks, and learns to tell
inside      what the hosts do meanwhile: nothing, web-like visits, bulk
inject (and datagram)    everybody on the wire who interferes
impairment  a bad path between the sites
ledger      traffic that proves what a path did to it
attack      traffic with an attacker beside it
stale       what dead runs left behind
bridged     the control experiment: the same network without Penstock
pipes (and pipe_traffic)  ends of pipes, ours and spiped's, and what goes through them
pipe_siege  one end of a pipe, with a far side that may do anything
story (told by demo, on console)  all of it, for people
shape_story, shape_picture        what the one who learns can tell, for people
"""
