"""Cells of files that were exported with formulas made harmless: taken back on the way in."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def as_received(cell: str) -> str:
    """The cell without the apostrophe that an export put before a formula, so that an exported file comes back as it was."""
    return cell[1:] if cell[:1] == "'" and cell[1:].lstrip(" ").startswith(FORMULA_STARTS) else cell
