"""What does the package cost? ``python -m benchmarks`` answers, in ratios."""
