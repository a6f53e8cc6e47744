"""Word lists of the generated companies. All names are made up of these parts; a real one met is chance."""

from __future__ import annotations

# In the order of users.access.Role.
DEMO_NAMES = {
    "Central": ("Ana Moreau", "Sam Okafor", "Mo Lindqvist", "Xia Feng", "Ivy Castellan", "Ada Brandt"),
    "East": ("Eve Novak", "Ravi Menon", "Lena Hoffmann", "Tomas Ferreira", "Jun Sato", "Zoe Whitfield"),
}

# (seller, manager, office): stands in where the company's own list is not at hand.
SALES_TEAMS = (
    ("Nora Ashdown", "Frank Delgado", "Central"),
    ("Peter Quist", "Frank Delgado", "Central"),
    ("Selma Baird", "Frank Delgado", "Central"),
    ("Hugo Lambert", "Frank Delgado", "Central"),
    ("Grace Tanaka", "Ruth Eklund", "East"),
    ("Oscar Vidal", "Ruth Eklund", "East"),
    ("Irene Kowalski", "Ruth Eklund", "East"),
    ("Felix Brennan", "Ruth Eklund", "East"),
    ("Clara Jensen", "Victor Hale", "West"),
    ("Dario Conti", "Victor Hale", "West"),
    ("Maya Pillai", "Victor Hale", "West"),
    ("Simon Archer", "Victor Hale", "West"),
)
