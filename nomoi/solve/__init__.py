"""Exact answers: situations unfolded into tensors, and solvers that take nothing else."""
