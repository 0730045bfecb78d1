"""Layer 0: recording.  Nodes, rules, the tape and its two sweeps; knows no op."""
