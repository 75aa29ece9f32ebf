"""The SQL reading of a whole catalogue: three expressions quantify any number of acts in one statement."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from carbon_credits.methodologies.base import DERIVED, Methodology
from carbon_credits.methodologies.quantification import MONITORED_MISSING, NOT_IN_FORCE, OUT_OF_RANGE
from carbon_credits.methodologies.readings import bind, sql
from carbon_credits.methodologies.releases import Release, releases

# Bits of `unmet` that stand beside the conditions' own (bit k is the k-th condition of the release).
MISSING_BIT = 1 << 28
RANGE_BIT = 1 << 29
NOT_IN_FORCE_BIT = 1 << 30

_BESIDE = ((NOT_IN_FORCE_BIT, NOT_IN_FORCE), (MISSING_BIT, MONITORED_MISSING), (RANGE_BIT, OUT_OF_RANGE))

Column = Callable[[str], str]
Render = Callable[[Methodology, Release], str]


@dataclass(frozen=True, slots=True)
class BatchSql:
    """Expressions over `methodology` (smallint), `occurred_on` (date) and what the column function names.

    `release`: the caller's number of the release in force, NULL when none is. `unmet`: a bit mask, 0 when all
    is well. `raw`: milligrams before rounding, numeric; read it only where `unmet` is 0. `reasons`: the codes
    (text[]) of a mask that stands in a column `unmet`, by the version that was in force on the day. `nothing`: the
    version's own reason why an act comes to nothing, NULL where it has none; read it only where that is so.
    """

    release: str
    unmet: str
    raw: str
    reasons: str
    nothing: str


def monitored_column(name: str) -> str:
    """Where a number is found by default: the act's `monitored` JSON, or its times for a derived one.

    A derived number is never read from the claim, so a claimant cannot supply it. A caller with many rows gains a
    third by reading each number once in a subquery and naming those columns instead.
    """
    if name in DERIVED:
        return _DERIVED_SQL[name]
    return f"(monitored->>'{name}')::numeric"


_DERIVED_SQL = {"duration_s": "floor(extract(epoch from (occurred_to - occurred_from)))"}


def batch_sql(
    methodologies: Iterable[Methodology], numbers: Mapping[str, int], column: Column = monitored_column
) -> BatchSql:
    """Read methodologies (all their versions) as SQL; `numbers` gives each release's number by its digest.

    Parameters are bound as literals, so there are no joins. Raises KeyError for a release without a number.
    """
    ordered = sorted(methodologies, key=lambda m: (m.number, m.version))
    by_number = [(number, list(versions)) for number, versions in groupby(ordered, key=lambda m: m.number)]

    def whole(render: Render, otherwise: str, only: Callable[[Methodology], bool] = lambda _: True) -> str:
        arms = " ".join(
            f"when {number} then {_by_date(versions, render, otherwise)}"
            for number, versions in by_number
            if any(map(only, versions))
        )
        return f"(case methodology {arms} else {otherwise} end)" if arms else otherwise

    return BatchSql(
        release=whole(lambda _, release: str(numbers[release.digest]), "null::integer"),
        unmet=whole(lambda m, release: _unmet(m, release, column), str(NOT_IN_FORCE_BIT)),
        raw=whole(lambda m, release: _raw(m, release, column), "null::numeric"),
        reasons=f"array_remove({whole(lambda m, _: _reasons(m), _named(_BESIDE))}, null)",
        nothing=whole(lambda m, _: _nothing(m), "null::text", lambda m: m.no_grams is not None),
    )


def unmet_reasons(methodology: Methodology, mask: int) -> tuple[str, ...]:
    """The reason codes a mask stands for, in the order `quantify` gives them."""
    return tuple(code for bit, code in (*_BESIDE, *_bits(methodology)) if mask & bit)


def _bits(methodology: Methodology) -> Iterable[tuple[int, str]]:
    return ((1 << k, condition.reason) for k, condition in enumerate(methodology.conditions))


def _reasons(methodology: Methodology) -> str:
    return _named((*_BESIDE, *_bits(methodology)))


def _nothing(methodology: Methodology) -> str:
    return "null::text" if methodology.no_grams is None else f"'{methodology.no_grams.reason}'::text"


def _named(bits: Iterable[tuple[int, str]]) -> str:
    codes = (f"case when unmet & {bit} <> 0 then '{code}' end" for bit, code in bits)
    return f"array[{', '.join(codes)}]"


def _by_date(versions: list[Methodology], render: Render, otherwise: str) -> str:
    """Newest release first: most acts are recent, so the first arm usually decides."""
    dated = [(m, release) for m in versions for release in releases(m)]
    dated.sort(key=lambda pair: pair[1].since, reverse=True)
    arms = (f"when {_in_force(release)} then {render(m, release)}" for m, release in dated)
    return f"(case {' '.join(arms)} else {otherwise} end)"


def _in_force(release: Release) -> str:
    since = f"occurred_on >= date '{release.since}'"
    return since if release.until is None else f"{since} and occurred_on < date '{release.until}'"


def _unmet(methodology: Methodology, release: Release, column: Column) -> str:
    columns = {q.name: column(q.name) for q in methodology.quantities}
    outside = " or ".join(
        f"{columns[q.name]} not between {q.least} and {q.most}" for q in methodology.quantities
    )
    missing = f"case when num_nulls({', '.join(columns.values())}) > 0 then {MISSING_BIT} else 0 end"
    # an absent number makes its own comparison NULL, which CASE takes for "no": only present ones are outside
    unfit = f"{missing} | case when {outside} then {RANGE_BIT} else 0 end"
    if not methodology.conditions:
        return f"({unfit})"
    bits = " | ".join(
        f"case when {sql(bind(test, release.parameters), column)} then 0 else {1 << k} end"
        for k, test in enumerate(methodology.tests)
    )
    fit = " and ".join(f"{columns[q.name]} between {q.least} and {q.most}" for q in methodology.quantities)
    return f"(case when {fit} then {bits} else {unfit} end)"


def _raw(methodology: Methodology, release: Release, column: Column) -> str:
    columns = ", ".join(column(q.name) for q in methodology.quantities)
    formula = sql(bind(methodology.tree, release.parameters), column)
    return f"(case when num_nulls({columns}) = 0 then {formula} end)"
