"""The rule set: every reason a trip's evidence can be given, and what each is worth.

One table. A change of a word is free; a change of points, limits or codes raises RULES_VERSION, and decisions taken
under an older version keep theirs.
"""

from collections.abc import Mapping
from typing import Final

from carbon_credits.core.i18n import Text

RULES_VERSION: Final = 1

REASONS: Mapping[str, Text] = {
    "too_few_points": Text("轨迹有效点太少，无法核验", "Too few usable points to verify the trip"),
}
