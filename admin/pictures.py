"""QR codes drawn into the page itself: no file, no script, nothing asked of anybody."""

import segno
from markupsafe import Markup


def qr(content: str) -> Markup:
    """An SVG of the content, read by a phone's camera from a screen."""
    drawn = segno.make(content, error="m", micro=False)
    # the library writes the drawing itself; the content is modules, never text
    return Markup(drawn.svg_inline(scale=5, border=3, dark="#000", light="#fff", svgclass="console-qr"))  # noqa: S704
