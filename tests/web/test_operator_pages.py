"""The operator's pages: halts, what is owed, settings by two, dry runs; for the staff only."""

from datetime import timedelta

import pytest

from copyplugin.domain.account import TransferKind, TransferState, Wallet
from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.halt import HaltScope
from copyplugin.domain.setting_change import SettingName
from copyplugin.store import setting_changes
from copyplugin.store.rows import HaltRow, TransferRow
from tests.web.builders import NOW, money

PAGES = ("/operator/halts", "/operator/payables", "/operator/settings", "/operator/dry-run")
POSTS = (
    "/operator/halts",
    "/operator/halts/resume",
    "/operator/payables/paid",
    "/operator/settings/propose",
    "/operator/settings/decide",
)
BOUND = SettingName.PRICE_BOUND_OTHER


@pytest.fixture
def staff(client, small):
    def sign_in(key="1"):
        client.post("/whoami/operator", data={"operator": key})
        return client

    return sign_in


@pytest.fixture
def proposal(database):
    def propose(actor="operator:second"):
        return database.write_and_wait(
            lambda s: (
                setting_changes.propose(
                    s,
                    BOUND,
                    "0.02",
                    value_before="0.015",
                    reason="busy market",
                    actor=actor,
                    at=NOW,
                    expires_at=NOW + timedelta(hours=72),
                ).id
            )
        )

    return propose


@pytest.mark.parametrize("path", PAGES)
def test_pages_of_the_operator_are_shown_to_the_staff_only(client, ben, path):
    assert ben.get(path).status_code == 403
    ben.post("/sign-out")
    assert client.get(path).headers["Location"].endswith("/whoami")
    client.post("/whoami/operator", data={"operator": "3"})
    assert client.get(path).status_code == 200
    assert "administrator:chief" in client.get(path).text


@pytest.mark.parametrize("path", POSTS)
def test_nobody_else_gives_their_commands(ben, commands, path):
    assert ben.post(path, data={"reason": "r", "reference": "r"}).status_code == 403
    assert commands.given == []


@pytest.mark.parametrize("path", POSTS)
def test_a_form_from_elsewhere_is_refused(app, staff, commands, path):
    client = staff()
    app.config["WTF_CSRF_ENABLED"] = True

    assert client.post(path, data={"reason": "r"}).status_code == 400
    assert commands.given == []


def test_the_staff_is_chosen_by_number(client, small):
    client.post("/whoami/operator", data={"operator": "9"})
    assert "Nobody of the staff has this number" in client.get("/whoami").text
    client.post("/whoami/operator", data={"operator": "2"})
    assert "operator:second" in client.get("/operator/halts").text


def test_a_halt_is_seen_set_and_lifted(staff, world, small, commands):
    client = staff()
    assert "Nothing is halted" in client.get("/operator/halts").text
    told = client.post(
        "/operator/halts",
        data={"whose": "global", "reason": "odd fills", "close": "1", "idempotency_key": "k"},
        follow_redirects=True,
    )
    assert "Done as asked." in told.text
    client.post("/operator/halts", data={"whose": str(small.ada), "reason": "odd fills"})
    assert [(kind, given, actor) for kind, given, actor, _ in commands.given] == [
        (
            CommandKind.HALT_COPYING,
            {"scope": "global", "reason": "odd fills", "close": True},
            "operator:demo",
        ),
        (
            CommandKind.HALT_COPYING,
            {"scope": "leader", "leader_id": small.ada, "reason": "odd fills", "close": False},
            "operator:demo",
        ),
    ]
    assert commands.given[0][3] == "operator:demo:k"
    world.add(
        HaltRow(
            scope=HaltScope.LEADER,
            scope_id=small.ada,
            actor="operator:ann",
            reason="odd <fills>",
            halted_at=NOW,
        )
    )
    page = client.get("/operator/halts").text
    assert "odd &lt;fills&gt;" in page
    assert "Resume: Followers of " in page
    client.post("/operator/halts/resume", data={"scope": "leader", "scope_id": small.ada})
    assert commands.given[-1][:2] == (
        CommandKind.RESUME_COPYING,
        {"scope": "leader", "leader_id": small.ada},
    )
    given = {"scope": "leader", "scope_id": small.ada, "reason": " fills are right "}
    client.post("/operator/halts/resume", data=given)
    assert commands.given[-1][1]["reason"] == "fills are right"


def test_why_copying_was_resumed_is_shown(staff, world):
    for number, reason in enumerate(("<right> again", None)):
        world.add(
            HaltRow(
                scope=HaltScope.FOLLOW,
                scope_id=number + 1,
                actor="operator:ann",
                reason="odd",
                halted_at=NOW,
                lifted_at=NOW,
                lifted_by="administrator:bob",
                lift_reason=reason,
            )
        )

    page = staff().get("/operator/halts").text

    assert "&lt;right&gt; again" in page
    assert '<td data-label="Why resumed">–</td>' in page


def test_only_an_administrator_is_offered_to_resume_for_everybody(staff, world):
    world.add(HaltRow(scope=HaltScope.GLOBAL, scope_id=0, actor="a", reason="night", halted_at=NOW))

    assert "an administrator resumes" in staff().get("/operator/halts").text
    assert "Resume: Everybody" in staff("3").get("/operator/halts").text


@pytest.mark.parametrize(
    ("path", "given", "sentence"),
    [
        ("halts", {"whose": "global", "reason": " "}, "Say why: whoever resumes"),
        ("halts", {"whose": "Ada", "reason": "odd"}, "Choose whose copying"),
        ("payables/paid", {"transfer_id": "x"}, "Say how it was paid"),
        ("settings/propose", {"name": BOUND, "value": "0.01"}, "Say why: whoever approves"),
        ("settings/propose", {"name": BOUND, "reason": "r"}, "Write the new value"),
        ("settings/decide", {"proposal": "1", "decision": "reject"}, "Say why it is rejected"),
    ],
)
def test_what_is_missing_in_a_form_is_said(staff, commands, path, given, sentence):
    answer = staff().post(f"/operator/{path}", data=given, follow_redirects=True)

    assert sentence in answer.text
    assert commands.given == []


def test_what_the_engine_refuses_is_shown(staff, commands):
    commands.state, commands.message = CommandState.REFUSED, "Copying is halted already."

    answer = staff().post(
        "/operator/halts", data={"whose": "global", "reason": "r"}, follow_redirects=True
    )

    assert "Copying is halted already." in answer.text


def test_what_is_owed_is_marked_as_paid_with_a_reference(staff, world, small, commands):
    client = staff()
    assert "Nothing is owed." in client.get("/operator/payables").text
    world.add(
        TransferRow(
            id="cp-share-1",
            follow_id=small.follow,
            kind=TransferKind.SHARE,
            from_account="s1",
            from_wallet=Wallet.CONTRACT,
            to_account="20001",
            to_wallet=Wallet.SPOT,
            money=money("4.8375"),
            state=TransferState.OWED,
            created_at=NOW,
        )
    )
    page = client.get("/operator/payables").text
    assert "cp-share-1" in page
    assert "4.8375" in page
    client.post(
        "/operator/payables/paid",
        data={"transfer_id": "cp-share-1", "reference": "slip 7", "from_sub_account": "1"},
    )
    assert commands.given[0][:2] == (
        CommandKind.MARK_PAID,
        {"transfer_id": "cp-share-1", "reference": "slip 7", "from_sub_account": True},
    )


def test_settings_say_what_holds_where_it_comes_from_and_who_changes_it(staff, database, clock):
    database.write_and_wait(
        lambda s: setting_changes.change_at_once(
            s,
            BOUND,
            "0.01",
            value_before="0.015",
            reason="thin books",
            actor="operator:ann",
            decision="it lowers the risk",
            at=NOW - timedelta(hours=1),
        )
    )

    page = staff().get("/operator/settings").text

    assert "configured 0.015" in page
    assert "operator:ann" in page
    assert "Lower holds at once, higher needs two." in page
    assert "thin books" in page


def test_a_proposal_is_approved_by_somebody_else_only(staff, proposal, commands):
    number = proposal()
    own = staff("2").get("/operator/settings").text
    assert f"Approve proposal {number}" not in own
    assert "Take back" in own
    client = staff("1")
    assert f"Approve proposal {number}" in client.get("/operator/settings").text
    client.post(
        "/operator/settings/decide",
        data={"proposal": number, "decision": "approve", "reason": ""},
    )
    client.post(
        "/operator/settings/decide",
        data={"proposal": number, "decision": "reject", "reason": "too wide"},
    )
    assert [given[:3] for given in commands.given] == [
        (CommandKind.APPROVE_SETTING, {"proposal": 1, "reason": "approved"}, "operator:demo"),
        (CommandKind.REJECT_SETTING, {"proposal": 1, "reason": "too wide"}, "operator:demo"),
    ]


def test_a_change_is_proposed_with_its_reason(staff, commands):
    client = staff()
    for more in ({"value": "0.01"}, {"value": "9", "as_configured": "1"}):
        client.post("/operator/settings/propose", data={"name": BOUND, "reason": "thin"} | more)

    assert [given[:2] for given in commands.given] == [
        (CommandKind.PROPOSE_SETTING, {"name": BOUND, "reason": "thin", "value": "0.01"}),
        (CommandKind.PROPOSE_SETTING, {"name": BOUND, "reason": "thin"}),
    ]


def test_a_dry_run_is_a_page_that_changes_nothing(staff, commands):
    client = staff()

    page = client.get("/operator/dry-run?name=price_bound_other&value=0.01&hours=168").text

    assert "Decisions taken again" in page
    assert "Change it so" in page
    assert commands.given == []


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("name=price_bound_other&value=9", "less than or equal to 0.03"),
        ("name=price_bound_other&value=", "Write the value that is to be tried."),
        ("name=lease_seconds&value=9", "does not decide on orders and cannot be tried"),
        ("name=price_bound_other&value=0.01&hours=9999", "Choose one of the spans of time"),
    ],
)
def test_what_cannot_be_tried_is_said(staff, query, sentence):
    assert sentence in staff().get(f"/operator/dry-run?{query}").text
