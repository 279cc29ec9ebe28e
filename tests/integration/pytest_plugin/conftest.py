import pytest

# a run inside a run: other plugins keep state of their own that does not nest
ALONE = ["asyncio", "cacheprovider", "hypothesispytest", "playwright", "pytest_cov", "socket"]
ALONE += ["timeout", "xdist"]


@pytest.fixture
def options():
    """Options of an inner run: warnings are errors, other plugins stay out."""
    without = [option for name in ALONE for option in ("-p", f"no:{name}")]
    return ["--strict-markers", "-W", "error", *without]
