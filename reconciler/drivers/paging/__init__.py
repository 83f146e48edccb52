"""Reading a long list whole, as a pure state machine: which page to ask for next, and when everything was seen.

No IO, clock or threads in here: `drivers/listing.py` fetches the pages, and the simulator in tests/reading drives the
very same code against remotes that misbehave.
"""
