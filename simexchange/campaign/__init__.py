"""Long runs that look for what short tests miss: mixed streams, a slow twin, other processes."""
