"""How groups of people change: populations that learn from, punish and replace one another."""
