"""Texts for people come in pairs, Chinese first."""

from typing import Literal, NamedTuple

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


class Text(NamedTuple):
    """One message in both languages."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """The text for a reader; Chinese unless English was asked for."""
        return self.en if language == "en" else self.zh

    def both(self) -> dict[str, str]:
        """`{"zh": …, "en": …}`, as the API shows it."""
        return {"zh": self.zh, "en": self.en}
