"""The pages. Each view reads its input, calls one thing and answers; what it may show comes from `visible_to`."""
