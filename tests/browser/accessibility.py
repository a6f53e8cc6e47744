"""What every page must pass: nothing serious for axe, and nothing wider than the screen."""

from __future__ import annotations

from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

NARROW = (390, 320)
HEIGHT = 844
SERIOUS = ("serious", "critical")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# Elements that end beyond the viewport though no ancestor of theirs scrolls or clips.
WIDER_THAN_THE_SCREEN = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const contained = (node) => node && node !== document.body &&
    (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(node).overflowX) || contained(node.parentElement));
  const wide = [...document.body.querySelectorAll("*")].filter((node) =>
    node.getBoundingClientRect().right > width + 1 && !contained(node.parentElement));
  return wide.slice(0, 5).map((node) => node.outerHTML.slice(0, 160)).concat(`page: ${document.documentElement.scrollWidth} px`);
}"""


def assert_accessible(page: Page) -> None:
    """No serious or critical violation of WCAG 2.2 A and AA on the page as it stands."""
    _assert_nothing_serious(page, WCAG)


def show_in(page: Page, scheme: Literal["light", "dark"]) -> None:
    """Change what the system prefers, and wait until the page has been painted that way."""
    page.emulate_media(color_scheme=scheme)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def assert_contrast(page: Page) -> None:
    """What a change of theme can break, in a fifth of the time."""
    _assert_nothing_serious(page, ["color-contrast"])


def _assert_nothing_serious(page: Page, rules: list[str]) -> None:
    # Without preload: axe would look for what our style sheets import in the wrong folder.
    options = {"runOnly": rules, "resultTypes": ["violations"], "preload": False}
    violations = [one for one in Axe().run(page, options=options).response["violations"] if one["impact"] in SERIOUS]
    assert not violations, f"{page.url}\n" + "\n".join(
        f"{one['id']} ({one['impact']}): {one['help']}\n  {node['html'][:200]}\n  {node.get('failureSummary', '')}"
        for one in violations
        for node in one["nodes"][:3]
    )


def no_horizontal_overflow(page: Page) -> None:
    """At phone widths nothing makes the page scroll sideways; the viewport is left as it was."""
    before = page.viewport_size
    for width in NARROW:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        wide = page.evaluate(WIDER_THAN_THE_SCREEN)
        assert wide == [], f"{page.url} is wider than {width} px: {wide}"
    if before:
        page.set_viewport_size(before)
