import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyplugin.domain.client_order_id import LENGTH_MAX, client_order_id
from copyplugin.domain.identifiers import LaneId

numbers = st.integers(1, 36**9 - 1)
causes = st.tuples(numbers.map(LaneId), numbers)
prefixes = st.from_regex(r"[a-z0-9]{1,10}", fullmatch=True)


@given(causes, prefixes)
def test_every_venue_takes_the_name(cause, prefix):
    name = client_order_id(*cause, prefix=prefix)

    assert len(name) <= LENGTH_MAX == 32
    assert re.fullmatch(r"[A-Za-z0-9]+", name)


@given(causes, prefixes)
def test_a_name_says_what_it_was_derived_from_so_that_no_two_causes_share_one(cause, prefix):
    name = client_order_id(*cause, prefix=prefix)

    parts = re.fullmatch(r"([a-z0-9]+)L([a-z0-9]+)S([a-z0-9]+)", name)
    assert parts.groups()[0] == prefix
    assert tuple(int(part, 36) for part in parts.groups()[1:]) == cause


def test_a_name_stays_what_it_was_in_rows_already_written():
    assert client_order_id(LaneId(1), 1) == "cpL1S1"
    assert client_order_id(LaneId(36), 1295, prefix="x9") == "x9L10Szz"


@pytest.mark.parametrize(("lane", "sequence"), [(0, 1), (1, 0), (36**9, 1), (1, -1)])
def test_a_number_that_no_row_can_have_is_a_bug(lane, sequence):
    with pytest.raises(AssertionError):
        client_order_id(LaneId(lane), sequence)
