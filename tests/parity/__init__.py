"""The same as PyTorch computes, to 1e-10: these tests run where it is installed, as `.ci/run` sees to."""
