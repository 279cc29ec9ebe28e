"""Whoever counts the follows of leaders says what becomes of those with play money."""

import ast

from tests.house.rules import Source, sources

SERVES_BOTH = {
    # what is copied, ended, halted or mirrored is so for both kinds of money
    "copyplugin/store/follow_rules.py:rests_on_leader_equity",
    "copyplugin/store/follows.py:follows_of_leader",
    "copyplugin/store/leader_margins.py:copied_leaders",
    "copyplugin/store/leader_margins.py:copied_positions",
    "copyplugin/store/marking.py:_make_lanes",
    "copyplugin/store/marking.py:aim_orphans_at_nothing",
    "copyplugin/store/marking.py:aim_scope_at_nothing",
    "copyplugin/store/marking.py:announce_signal",
    "copyplugin/store/news.py:_of_halt",
    "copyplugin/store/queries/leader_backing.py:leader_backings",
    "copyplugin/store/queries/orphans.py:orphans_held",
    # of one follower; whoever stands for him with play money is another
    "copyplugin/store/places.py:_refuse_person",
    "copyplugin/store/queries/copies.py:copies_of_many",
    "copyplugin/store/queries/halted.py:halted_follows",
    "copyplugin/store/queries/leaders.py:live_follows",
    "copyplugin/store/queries/skipped.py:skipped_orders",
    # what its callers ask for
    "copyplugin/store/queries/copied_positions.py:_select",
    "copyplugin/store/queries/payables.py:_payables",
}


OF_A_LEADER = ("FollowRow.leader_id", "SettlementRow.leader_id")


def selects_by_leader(source: Source) -> list[str]:
    """Return the functions that select follows by their leaders and speak of no paper follows."""
    return [
        f"{source.path}:{function.name}"
        for function in ast.walk(source.tree())
        if isinstance(function, ast.FunctionDef)
        and any(name in (code := ast.unparse(function)) for name in OF_A_LEADER)
        and "FollowRow.paper" not in code
        and "follow.leader_id" not in code.replace("FollowRow.leader_id", "")
    ]


def test_no_figure_of_a_leader_forgets_that_some_follows_are_with_play_money():
    found = {
        name
        for source in sources()
        if source.is_python and source.path.startswith("copyplugin/store/")
        for name in selects_by_leader(source)
    }

    assert sorted(found - SERVES_BOTH) == [], "leave paper follows out, or say why they belong in"
    assert sorted(SERVES_BOTH - found) == [], "these are gone: take them out of the list"


def test_a_figure_that_forgets_it_is_found():
    forgets = Source("copyplugin/store/x.py", "def f():\n    return FollowRow.leader_id == 1\n")
    minds = Source(
        "copyplugin/store/x.py",
        "def f():\n    return FollowRow.leader_id == 1 & FollowRow.paper.is_(False)\n",
    )

    assert selects_by_leader(forgets) == ["copyplugin/store/x.py:f"]
    assert selects_by_leader(minds) == []
