"""Cells of exported files, with formulas made harmless on the way out and taken back on the way in."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def as_received(cell: str) -> str:
    """The cell without the apostrophe that an export put before a formula, so that an exported file comes back as it was."""
    return cell[1:] if cell[:1] == "'" and cell[1:].lstrip(" '").startswith(FORMULA_STARTS) else cell


def with_formula_disarmed(cell: str) -> str:
    """The cell as it may stand in a file that a spreadsheet opens: text that would be run as a formula gets an apostrophe before it."""
    return f"'{cell}" if cell.lstrip(" '").startswith(FORMULA_STARTS) else cell
