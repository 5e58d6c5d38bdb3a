"""Markets: economies, their equilibria with certificates that no solver wrote, welfare theorems, failures."""
