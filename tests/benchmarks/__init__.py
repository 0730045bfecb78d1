"""Side-by-side timings: ``python -m tests.benchmarks [names] [--save docs/benchmarks.md]``, on an idle machine."""
