"""No link of a page leads nowhere, and no page is missing in the index, `docs/README.md`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.markdown import FENCE, pages
from tests.architecture.rules import ROOT

INDEX = "docs/README.md"
# Fragments of the changelog are moved into a page elsewhere, so they have no links.
PAGES = sorted({*pages(), *(str(path.relative_to(ROOT)) for path in ROOT.glob("conformance/*.md"))})
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def prose(text: str) -> Iterator[str]:
    """The lines that are no code block."""
    inside = False
    for line in text.splitlines():
        if FENCE.match(line):
            inside = not inside
        elif not inside:
            yield line


def anchors(text: str) -> set[str]:
    """What a heading can be linked by, as GitHub makes it."""
    headings = [re.sub(r"^#+ ", "", line) for line in prose(text) if re.match(r"#+ ", line)]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead(page: Path, text: str) -> list[str]:
    """The links of a page that lead nowhere."""
    found: list[str] = []
    for link in (link for line in prose(text) for link in LINK.findall(line)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_no_dead_links(page: str) -> None:
    assert dead(ROOT / page, (ROOT / page).read_text()) == []


def test_the_index_has_every_page() -> None:
    index = ROOT / INDEX
    linked = {
        (index.parent / link).resolve() for line in prose(index.read_text()) for link in LINK.findall(line)
    }
    wanted = {*ROOT.glob("docs/*.md"), *ROOT.glob("packages/*/README.md")} - {index}
    assert sorted(str(path.relative_to(ROOT)) for path in wanted - linked) == []


@pytest.mark.parametrize("link", ["nowhere.md", "options.md#nowhere", "#nowhere"])
def test_links_check_can_fail(link: str) -> None:
    assert dead(ROOT / INDEX, f"see [it]({link})") == [link]


@pytest.mark.parametrize(
    "link", ["options.md", "options.md#engineio", "../README.md", "https://example.com/x"]
)
def test_links_check_can_pass(link: str) -> None:
    assert dead(ROOT / INDEX, f"see [it]({link})") == []
