"""Whose values: votes, opinion maps, consensus, rules of social choice, constitutions, pluralism, decisions."""
