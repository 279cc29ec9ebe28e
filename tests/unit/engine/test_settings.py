"""Settings: defaults of the seed, and a sentence for what does not fit."""

import pytest

from copyplugin.errors import ConfigurationError
from copyplugin.settings import Settings, load_settings


def test_the_cadences_are_the_seeds():
    settings = Settings()

    assert settings.copy_sweep_seconds == 3
    assert settings.close_ended_seconds == 5
    assert settings.settle_seconds == 30
    assert settings.position_data_seconds == 120
    assert settings.statistics_seconds == 300
    assert settings.return_aborted_seconds == 300


def test_a_variable_of_the_environment_sets_a_value(monkeypatch):
    monkeypatch.setenv("COPYPLUGIN_SETTLE_SECONDS", "7")

    assert load_settings().settle_seconds == 7


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SETTLE_SECONDS", "soon", "COPYPLUGIN_SETTLE_SECONDS is 'soon': input should be a valid"),
        ("SETTLE_SECONDS", "0", "COPYPLUGIN_SETTLE_SECONDS is '0': input should be greater than"),
        ("PRICE_BOUND_MAJOR", "0.2", "COPYPLUGIN_PRICE_BOUND_MAJOR is '0.2': input should be less"),
        ("TIME_ZONE", "Mars/X", "COPYPLUGIN_TIME_ZONE is 'Mars/X': there is no such time zone;"),
        ("CLIENT_ORDER_PREFIX", "A-B", "COPYPLUGIN_CLIENT_ORDER_PREFIX is 'A-B': string should"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_name(monkeypatch, name, value, sentence):
    monkeypatch.setenv(f"COPYPLUGIN_{name}", value)

    with pytest.raises(ConfigurationError, match=r"COPYPLUGIN_") as caught:
        load_settings()

    assert str(caught.value).startswith(sentence)


def test_a_setting_that_does_not_exist_is_refused():
    with pytest.raises(ConfigurationError, match="There is no setting settle_minutes; remove it"):
        load_settings(settle_minutes=1)


def test_shares_are_held_only_where_somebody_holds_them():
    with pytest.raises(ConfigurationError, match="ESCROW_ACCOUNT is '': name the account"):
        load_settings(share_escrow_seconds=60)

    assert load_settings(share_escrow_seconds=60, escrow_account="7").escrow_account == "7"
