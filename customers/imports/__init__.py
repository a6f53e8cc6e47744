"""Files on their way in: upload → match columns → check → run → result → undo.

`reading` turns a file into rows of text, `detecting` says how its columns write numbers and days, `fields` lists what each
kind of file can tell, `cleaning` turns cells into values, `references` finds what names mean, `chunks` writes a few thousand
rows in one transaction, and `runs` leads a run through its states. docs/imports.md has the whole walk.
"""
