"""How residents are numbered, so that a range of numbers is a shard.

A shard is 16,384 residents. Eight shards are open at a time and enrolment deals to them in turn, so that even
a small programme exercises several; when a block of eight is full the next block opens. A resident's shard
follows from the number and never changes.
"""

SHARD_SIZE = 16_384
OPEN_SHARDS = 8


def resident_id(enrolment_no: int) -> int:
    """The resident number of the n-th enrolment, n >= 1."""
    if enrolment_no < 1:
        raise ValueError("enrolments are counted from 1")
    block, place = divmod(enrolment_no - 1, SHARD_SIZE * OPEN_SHARDS)
    within, shard_in_block = divmod(place, OPEN_SHARDS)
    return (block * OPEN_SHARDS + shard_in_block) * SHARD_SIZE + within + 1


def shard_of(resident: int) -> int:
    """The shard of a resident number."""
    return (resident - 1) // SHARD_SIZE
