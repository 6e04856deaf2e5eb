"""`pointsman demo`: a whole Pointsman on this machine, with a shop, robots, customers, and a live board.

Everything goes the way that real people go: private servers, two real nodes, HTTP sign-in, the wire protocol.
"""
