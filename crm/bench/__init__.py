"""Benchmarks, run by bin/bench NAME. Figures with their commands are in docs/benchmarks.md."""
