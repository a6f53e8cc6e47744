"""The value engine: arrays that talk to the database. Workers and commands import it, pages never do."""

import os

# Before numpy is loaded: its linear algebra would spin a thread per core on products too small to share, for twenty times the CPU.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
