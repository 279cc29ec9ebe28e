"""Measuring the copy engine and breaking its processes, beside the product."""
