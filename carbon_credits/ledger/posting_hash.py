"""What a journal's hash covers, in one SQL text that every writer and every check uses.

A stranger recomputes it from the published columns alone: fixed widths, big-endian, in this order.
"""

# Of one posting; reads the columns of a posting by their bare names.
LINE_HASH = """sha256(decode('00', 'hex')
    || int4send(line) || int8send(resident_id) || int4send(wallet_seq)
    || int2send(contra_kind) || int4send(contra_ref)
    || int8send(points) || int8send(verified_mg) || int8send(claimed_mg) || int8send(removal_mg)
    || int8send(coalesce(activity_id, 0)) || int2send(generation)
    || int4send(coalesce(lot_on - date '2000-01-01', -1)))"""

# Of a whole journal: an aggregate over its postings.
JOURNAL_HASH = f"sha256(string_agg({LINE_HASH}, ''::bytea order by line))"
