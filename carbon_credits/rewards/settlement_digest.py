"""What a settlement's digest covers, in one SQL text that the writer and every check use.

A merchant recomputes it from its lines alone: fixed widths, big-endian, in the order of capture and kind, then the
adjustments by number. Each digest covers the one before it, so the statements of a merchant are one chain.
"""

# Of one line; reads capture_id, kind, micro_fen, subsidy_fen, purse_id by their bare names.
LINE_DIGEST = """sha256(decode('00', 'hex') || uuid_send(capture_id)
    || decode(case kind when 'capture' then '01' else '02' end, 'hex')
    || int8send(micro_fen) || int8send(subsidy_fen) || int4send(coalesce(purse_id, 0)))"""

# Of all lines of a settlement; an aggregate over them.
LINES_DIGEST = f"sha256(coalesce(string_agg({LINE_DIGEST}, ''::bytea order by capture_id, kind), ''::bytea))"

# Of all adjustments of a settlement; an aggregate over them.
ADJUSTMENTS_DIGEST = """sha256(coalesce(string_agg(int8send(adjustment_id) || int8send(fen), ''::bytea
    order by adjustment_id), ''::bytea))"""

# Of a settlement; reads its columns, `of_lines`, `of_adjustments` and the digest of the one before as `digest_before`.
SETTLEMENT_DIGEST = """sha256(decode('01', 'hex')
    || int4send(merchant_id) || int4send(day - date '2000-01-01') || int4send(captures) || int4send(reversals)
    || int8send(carried_in) || int8send(lines_micro_fen) || int8send(adjusted_fen)
    || int8send(amount_fen) || int8send(carried_out)
    || of_lines || of_adjustments || coalesce(digest_before, decode(repeat('00', 32), 'hex')))"""
