"""Studies: one published claim, or family of claims, a file."""
