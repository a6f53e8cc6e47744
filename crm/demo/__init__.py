"""The demo company and believable companies of any size, for trying, for pictures and for benchmarks."""
