"""The parts of the benchmark: each measures one or two rows of the table."""
