"""How much copying the market bears is shown before anybody starts (N9)."""

from copyplugin.domain.follow import FollowState
from copyplugin.store.rows import LeaderCapacityRow
from tests.web.builders import BTC, NOW, money


def capacity(world, leader_id, amount):
    world.add(LeaderCapacityRow(leader_id=leader_id, symbol=BTC, copy_amount=money(amount), at=NOW))


def test_the_room_is_what_is_borne_less_what_is_placed(client, world):
    world.instrument()
    ada, ben, cyd = world.leader(), world.follower("Ben"), world.follower("Cyd")
    world.follow(ada, ben, copy_amount=money(300))
    world.follow(ada, cyd, state=FollowState.CLOSED, copy_amount=money(50))
    capacity(world, ada, "1000.5")

    page = client.get(f"/koltrade/{ada}").text

    assert "Room in the market" in page
    assert "701 (BTCUSDT)" in page  # 700.5, shown without decimals


def test_the_follow_page_says_how_much_more_the_market_bears(client, world):
    world.instrument()
    ada, ben = world.leader(), world.follower("Ben")
    capacity(world, ada, "25")
    client.post("/whoami", data={"follower_id": ben})

    page = client.get(f"/koltrade/{ada}/copy").text

    assert "The market in BTCUSDT bears 25.00 USDT more of copies of this trader." in page


def test_what_is_not_known_is_not_claimed(client, world):
    world.instrument()
    ada, ben = world.leader(), world.follower("Ben")
    client.post("/whoami", data={"follower_id": ben})

    assert "The market in" not in client.get(f"/koltrade/{ada}/copy").text
