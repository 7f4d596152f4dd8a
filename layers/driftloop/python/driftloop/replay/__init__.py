"""What would have happened: the loop's own decisions over recorded history, on a virtual clock.

Served rows, labels and data that came are taken as recorded; what answered them, what was judged,
decided and trained follows from a policy. Monitor, governor, training and validation are the
loop's own functions; here are only a clock, a registry in memory and the counting.

Taken for granted, and so not shown: a version that passes validation is released in full when its
bake is over (nobody sees it before), and a run takes no other time. Whatever comes at a rate is
counted from the start of the history.
"""
