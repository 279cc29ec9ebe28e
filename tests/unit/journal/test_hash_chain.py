"""The running hash of the events: the same however its stream is cut, and it can be stored."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from simexchange.core.chain import LINK_BYTES, HashChain
from simexchange.journal.graph import read_graph, write_graph

streams = st.tuples(st.integers(0, 255), st.integers(0, 3 * LINK_BYTES)).map(
    lambda drawn: bytes(range(256)) * (drawn[1] // 256) + bytes([drawn[0]])
)


def chain_of(*parts):
    chain = HashChain()
    for part in parts:
        chain.update(part)
    return chain


@given(streams, st.lists(st.integers(0, 3 * LINK_BYTES), max_size=5))
def test_the_hash_does_not_depend_on_how_the_stream_was_cut(stream, cuts):
    edges = sorted({0, len(stream), *(min(cut, len(stream)) for cut in cuts)})
    parts = [stream[start:end] for start, end in pairwise(edges)]

    assert chain_of(*parts).hexdigest() == chain_of(stream).hexdigest()


@given(streams, streams)
def test_a_chain_that_was_written_down_goes_on(first, second):
    chain, other = chain_of(first), HashChain()
    read_graph(write_graph(chain), other)
    chain.update(second)
    other.update(second)

    assert other.hexdigest() == chain.hexdigest()


@given(streams)
def test_a_copy_is_apart_and_one_changed_byte_changes_the_hash(stream):
    chain = chain_of(stream)
    before = chain.hexdigest()
    copy = chain.copy()
    copy.update(b"x")

    assert chain.hexdigest() == before
    assert copy.hexdigest() != before
    assert chain_of(bytes([stream[0] ^ 1]) + stream[1:]).hexdigest() != before
