"""API keys in a file: for its owner only, whole after a crash, never shown."""

import json

import pytest

from copyplugin.domain.identifiers import AccountId
from copyplugin.errors import ConfigurationError
from copyplugin.venues.ccxt.config import ApiKeys
from copyplugin.venues.ccxt.key_file import KeyFile, accounts_from
from copyplugin.venues.ccxt.keys import KnownAccount

OWNER = AccountId("7")


def known(account: str, **more: object) -> KnownAccount:
    keys = ApiKeys(f"key of {account}", f"secret of {account}", "phrase")
    return KnownAccount(account=AccountId(account), keys=keys, **more)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys.json"


@pytest.mark.parametrize("passphrase", ["", "correct horse"])
def test_what_is_kept_is_there_for_the_next_process(path, passphrase):
    sub = known("8", owner=OWNER, label="cp-follow-1", address="a@b.c")
    first = KeyFile(path, passphrase=passphrase)
    first.keep(known("7"))
    first.keep(sub)

    second = KeyFile(path, passphrase=passphrase)

    assert second.find(OWNER) == known("7")
    assert second.sub_account(OWNER, "cp-follow-1") == sub
    assert second.masters() == (known("7"),)
    assert path.stat().st_mode & 0o777 == 0o600


def test_another_process_sees_what_was_added_meanwhile(path):
    reader, writer = KeyFile(path), KeyFile(path)
    assert reader.find(OWNER) is None
    writer.keep(known("7"))
    assert reader.find(OWNER) == known("7")
    reader.keep(known("8"))
    assert writer.find(AccountId("8")) == known("8")


def test_an_encrypted_file_shows_no_secret_and_opens_to_its_passphrase_only(path):
    KeyFile(path, passphrase="right").keep(known("7"))
    text = path.read_text()
    assert "key of" not in text
    assert "secret of" not in text
    with pytest.raises(ConfigurationError, match="does not open"):
        KeyFile(path, passphrase="wrong")
    with pytest.raises(ConfigurationError, match="PASSPHRASE"):
        KeyFile(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_may_read_is_refused(path, mode):
    KeyFile(path).keep(known("7"))
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        KeyFile(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"salt": "", "accounts": [{}]}'])
def test_a_damaged_file_gets_a_sentence(path, text):
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="is no file of API keys"):
        KeyFile(path)


def test_a_spare_account_of_the_pool_is_taken_by_one_owner(path):
    keys = KeyFile(path)
    keys.keep(known("8", is_pooled=True))
    keys.keep(known("9", is_pooled=True, owner=AccountId("1")))
    assert keys.spare(OWNER) == known("8", is_pooled=True)
    assert keys.masters() == ()
    keys.keep(known("8", is_pooled=True, owner=OWNER, label="cp-follow-1"))
    assert keys.spare(OWNER) is None
    assert keys.spare(AccountId("1")) is not None


def test_what_is_forgotten_is_gone(path):
    keys = KeyFile(path)
    keys.keep(known("7"))
    assert keys.forget(OWNER)
    assert not keys.forget(OWNER)
    assert KeyFile(path).accounts() == ()


def test_accounts_of_the_environment_are_known_and_not_written(path):
    beside = accounts_from(json.dumps([{"account": 7, "key": "k", "secret": "s"}]))
    keys = KeyFile(path, beside=beside)
    keys.keep(known("8"))
    assert keys.find(OWNER) == KnownAccount(account=OWNER, keys=ApiKeys("k", "s"))
    assert KeyFile(path).find(OWNER) is None


@pytest.mark.parametrize("text", ["{", "7", '[{"account": "7"}]', '["x"]'])
def test_a_mistake_in_the_environment_is_told_without_its_secrets(text):
    with pytest.raises(ConfigurationError) as caught:
        accounts_from(text)
    assert "write" in str(caught.value)
    assert caught.value.__cause__ is None


def test_keys_are_never_shown():
    assert "secret" not in repr(known("7"))
    assert "key of" not in str(known("7"))
