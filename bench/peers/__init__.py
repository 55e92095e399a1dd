"""The peers, each a program with three verbs; see `contestants`.

All do the same job as well as their documentation knows how: take a stored job, render the two templates, build a MIME
message of about 6 KB, hand it to the sink over kept connections, record that it was sent.
"""
