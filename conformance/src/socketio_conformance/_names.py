"""Names for what a server draws at random.

A trace says `${sid}` where the reference sent an id. In what a server under test sends, the first occurrence
of a name binds it to whatever stands there; from then on it stands for that value alone, and two names never
stand for the same one. So a replay also sees that ids are kept, and that none leaks where another belongs.
"""

from __future__ import annotations

import re

NAME = re.compile(r"\$\{([^}]*)\}")

# What an id may be made of: no quote, no separator of any layer. A name itself may stand for a name.
_VALUE = r"(?:\$\{[^}]*\}|[A-Za-z0-9_.~+/#-]+)"


class UnboundName(LookupError):
    """A name is used whose value the server has not sent yet."""


class Names:
    """The names of one trace and their values so far."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._patterns: dict[str, re.Pattern[str]] = {}

    def fill(self, template: str) -> str:
        """Put the values in.

        Raises:
            UnboundName: a name has no value yet.
        """

        def value(match: re.Match[str]) -> str:
            try:
                return self._values[match[1]]
            except KeyError:
                raise UnboundName(f"${{{match[1]}}} in {template!r}") from None

        return NAME.sub(value, template)

    def matches(self, template: str, actual: str) -> bool:
        """Whether `actual` is the template with some value for each name; if so, binds the new ones."""
        if "${" not in template:
            return template == actual
        match = self._pattern(template).fullmatch(actual)
        if match is None:
            return False
        found: dict[str, str] = {}
        for name, value in zip(NAME.findall(template), match.groups(), strict=True):
            known = self._values.get(name, found.get(name))
            if known is None:
                if value in self._values.values() or value in found.values():
                    return False
                found[name] = value
            elif known != value:
                return False
        self._values.update(found)
        return True

    def _pattern(self, template: str) -> re.Pattern[str]:
        pattern = self._patterns.get(template)
        if pattern is None:
            literals = NAME.split(template)[::2]
            text = f"({_VALUE})".join(re.escape(literal) for literal in literals)
            pattern = self._patterns[template] = re.compile(text, re.DOTALL)
        return pattern
