"""Layer 3: functions of functions, built on the two sweeps."""
