"""What an operator can set, with defaults; read from `COPYPLUGIN_…` variables or given in code."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Ratio
from copyplugin.domain.orphan import OrphanPolicy
from copyplugin.domain.plan_order import TriggerBy
from copyplugin.errors import ConfigurationError

PREFIX = "COPYPLUGIN_"
SECRET_LENGTH_MIN = 32
SQLITE = "sqlite:///"


class Settings(BaseSettings):
    """Every value is whole and says its unit; ratios are pure numbers (0.005 is 0.5 %)."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    database_url: str = Field(
        default="sqlite:///var/copyplugin.db",
        min_length=1,
        description="where rows are kept, as SQLAlchemy writes it",
    )

    # -- the seed's cadences
    copy_sweep_seconds: int = Field(
        default=3, ge=1, le=3600, description="look for fills and open work that no event told of"
    )
    close_ended_seconds: int = Field(
        default=5, ge=1, le=3600, description="close what ended follows still hold"
    )
    protection_seconds: int = Field(
        default=5, ge=1, le=3600, description="place and repair take-profit and stop-loss orders"
    )
    margin_seconds: int = Field(
        default=5, ge=1, le=3600, description="look whether leaders changed margin or leverage"
    )
    settle_seconds: int = Field(default=30, ge=1, le=86400, description="settle leader shares")
    position_data_seconds: int = Field(
        default=120, ge=1, le=86400, description="bring position data from the venue"
    )
    statistics_seconds: int = Field(
        default=300, ge=1, le=86400, description="recompute leader statistics"
    )
    return_aborted_seconds: int = Field(
        default=300, ge=1, le=86400, description="return the money of aborted follows"
    )
    marks_seconds: int = Field(
        default=1, ge=1, le=3600, description="publish mark prices to the pages"
    )
    reconcile_seconds: int = Field(
        default=60, ge=1, le=86400, description="compare positions and ledger with the venue"
    )

    depth_seconds: int = Field(
        default=60, ge=1, le=86400, description="look how much the market offers near its prices"
    )
    usable_depth_percent: int = Field(
        default=50,
        ge=1,
        le=100,
        description="so much of that may be a leader's order with all copies of it",
    )
    capacity_limits_follows: bool = Field(
        default=True, description="refuse follows beyond what the market bears"
    )
    orphans: OrphanPolicy = Field(
        default=OrphanPolicy.REPORT,
        description="positions in sub-accounts that no lane wants: report them, or close them",
    )
    ended_look_hours: int = Field(
        default=72,
        ge=0,
        le=8760,
        description="sub-accounts of ended follows are looked at for so long, too",
    )

    ledger_seconds: int = Field(
        default=3600, ge=1, le=604_800, description="prove the ledger from its first entry on"
    )

    # -- copying
    topup_milliseconds: int = Field(
        default=200,
        ge=0,
        le=60_000,
        description="least time between two orders for one leader order while it fills",
    )
    signal_quiet_milliseconds: int = Field(
        default=1_000,
        ge=0,
        le=600_000,
        description="a leader order of unknown size is final when no fill came for so long",
    )
    price_bound_major: Decimal = Field(
        default=Decimal("0.005"),
        ge=Decimal("0.001"),
        le=Decimal("0.03"),
        description="how far from the leader's average price an open may trade: major coins",
    )
    price_bound_other: Decimal = Field(
        default=Decimal("0.015"),
        ge=Decimal("0.001"),
        le=Decimal("0.03"),
        description="how far from the leader's average price an open may trade: all others",
    )
    major_bases: tuple[str, ...] = Field(
        default=("BTC", "ETH"), description="the coins that `price_bound_major` is for"
    )
    orders_in_flight_max: int = Field(
        default=100, ge=1, le=10_000, description="orders on their way to the venue at once"
    )
    lanes_per_claim: int = Field(
        default=500, ge=1, le=10_000, description="lanes looked at in one transaction"
    )
    lease_seconds: int = Field(
        default=20,
        ge=2,
        le=600,
        description="what a process works on is another's when it was silent so long",
    )
    request_timeout_seconds: int = Field(
        default=10,
        ge=1,
        le=300,
        description="an order is in doubt when the venue was silent so long; below the lease",
    )
    shards_at_once: int = Field(
        default=64, ge=1, le=256, description="shards one worker takes on before it leaves some"
    )
    signal_late_seconds: int = Field(
        default=60,
        ge=1,
        le=86400,
        description="an open is not copied so long after the leader's last fill for it",
    )

    # -- protection
    protection_trigger: TriggerBy = Field(
        default=TriggerBy.MARK,
        description="which price take profit and stop loss of new follows wait for",
    )

    # -- when the venue says no or nothing (L11)
    open_attempts: int = Field(default=3, ge=1, le=100, description="tries of an open ...")
    open_expiry_seconds: int = Field(
        default=10, ge=1, le=3600, description="... within so long after it was decided"
    )
    close_backoff_max_seconds: int = Field(
        default=30, ge=1, le=3600, description="longest pause between two tries of a close"
    )
    unreachable_abort_seconds: int = Field(
        default=900, ge=1, le=86400, description="a follow whose venue is silent so long is aborted"
    )
    refusals_to_abort: int = Field(
        default=5, ge=1, le=1000, description="certain refusals in a row that abort a follow"
    )

    # -- leader shares
    share_period_seconds: int = Field(
        default=604_800,
        ge=60,
        le=31_536_000,
        description="shares above a high-water mark are settled so often, and at a follow's end",
    )
    share_escrow_seconds: int = Field(
        default=0,
        ge=0,
        le=31_536_000,
        description="a share is held so long and partly taken back when the result falls; 0: never",
    )
    escrow_account: str = Field(
        default="",
        max_length=128,
        validate_default=True,
        description="the venue's UID of the account that holds them; where no money moves between "
        "people they stay in the sub-account",
    )

    # -- play money
    paper_follows: bool = Field(
        default=True, description="whether leaders may be followed with play money"
    )
    paper_directory: str = Field(
        default="",
        description="where play money is kept; empty: beside the SQLite database, and on "
        "PostgreSQL there is none then. Of several engines each must reach it",
    )
    paper_slippage: Decimal = Field(
        default=Decimal("0.0005"),
        ge=Decimal(0),
        le=Decimal("0.05"),
        description="how much worse than the mark orders with play money are filled",
    )

    # -- changes of settings while copying goes on
    second_person: bool = Field(
        default=True,
        description="changes that let copying risk more need two operators; false: one is enough",
    )
    proposal_expiry_hours: int = Field(
        default=72, ge=1, le=8760, description="a proposed change waits so long for the second one"
    )

    # -- users
    time_zone: str = Field(
        default="UTC", description="whose days count: today's income, a day's loss (Asia/Shanghai)"
    )
    command_wait_milliseconds: int = Field(
        default=5_000, ge=0, le=60_000, description="how long a page waits for its command"
    )
    client_order_prefix: str = Field(
        default="cp",
        pattern=r"^[a-z0-9]{1,10}$",
        description="tells installations that share a venue account apart",
    )

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (OSError, ValueError, ZoneInfoNotFoundError) as error:
            message = "there is no such time zone; name one as in Europe/Berlin or UTC"
            raise ValueError(message) from error
        return name

    @field_validator("host_feed_secret")
    @classmethod
    def _cannot_be_guessed(cls, secret: SecretStr) -> SecretStr:
        if 0 < len(secret.get_secret_value()) < SECRET_LENGTH_MIN:
            raise ValueError(f"use {SECRET_LENGTH_MIN} characters or more, made at random")
        return secret

    @field_validator("escrow_account")
    @classmethod
    def _holds_shares(cls, account: str, info: ValidationInfo) -> str:
        if not account and info.data.get("share_escrow_seconds"):
            raise ValueError("name the account that holds shares, or hold none (0 seconds)")
        return account

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    # -- a host exchange that tells of its leaders itself
    host_feed_secret: SecretStr = Field(
        default=SecretStr(""),
        description="what the host signs its messages with; empty: no message is taken",
    )

    # -- what people are told
    notify_seconds: int = Field(
        default=2, ge=1, le=3600, description="look for what is to be told, and send it"
    )
    notify_attempts_max: int = Field(
        default=30, ge=1, le=1000, description="tries of a message before it is given up"
    )
    backlog_alarm: int = Field(
        default=1_000, ge=0, le=10_000_000, description="a job that leaves more undone is told of"
    )
    webhook_url: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        description="takes what people are told, as signed messages; empty: nobody does",
    )
    webhook_secret: SecretStr = Field(
        default=SecretStr(""),
        validate_default=True,
        description="signs them; 32 characters or more, made at random",
    )
    smtp_host: str = Field(default="", description="sends e-mail to operators; empty: none is sent")
    smtp_port: int = Field(default=587, ge=1, le=65_535, description="its port")
    smtp_starttls: bool = Field(default=True, description="encrypt what is sent to it")
    smtp_user: str = Field(default="", description="who signs in there; empty: nobody")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="his password")
    mail_from: str = Field(default="", description="who the e-mail is from")
    mail_to: tuple[str, ...] = Field(
        default=(), validate_default=True, description="the operators' addresses"
    )

    @field_validator("webhook_secret")
    @classmethod
    def _signs_what_is_told(cls, secret: SecretStr, info: ValidationInfo) -> SecretStr:
        if info.data.get("webhook_url") and len(secret.get_secret_value()) < SECRET_LENGTH_MIN:
            raise ValueError(f"use {SECRET_LENGTH_MIN} characters or more, made at random")
        return secret

    @field_validator("mail_to")
    @classmethod
    def _reaches_somebody(cls, to: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if info.data.get("smtp_host") and not (to and info.data.get("mail_from")):
            raise ValueError("say from whom (mail_from) and to whom e-mail is sent")
        return to

    # -- the venue, where it is a real one
    venue: str = Field(default="", description="the exchange, as `copyplugin venues` names it")
    venue_address: str = Field(
        default="",
        description="a server that speaks its protocol, http://...; empty: the venue itself",
    )
    venue_testnet: bool = Field(default=False, description="trade on the venue's testnet")
    venue_keys_file: str = Field(
        default="var/venue-keys.json",
        min_length=1,
        description="the API keys, in a file that only its owner may read",
    )
    venue_keys_passphrase: SecretStr = Field(
        default=SecretStr(""), description="encrypts that file; empty: it is not encrypted"
    )
    venue_keys: SecretStr = Field(
        default=SecretStr(""),
        description='further accounts, in JSON: [{"account": UID, "key": ..., "secret": ...}]',
    )
    venue_timeout_milliseconds: int = Field(
        default=8_000, ge=100, lt=10_000, description="how long an answer is waited for"
    )
    venue_receive_window_milliseconds: int = Field(
        default=5_000, ge=100, lt=10_000, description="how old a request may be at the venue"
    )
    venue_history_days: int = Field(
        default=30, ge=1, le=700, description="how far back a new leader's fills are looked for"
    )
    venue_requests_at_once: int = Field(
        default=32, ge=1, le=1_000, description="requests on their way at one time"
    )
    venue_requests_per_second: int = Field(
        default=0, ge=0, le=10_000, description="requests of this address; 0: the venue's limit"
    )
    venue_processes: int = Field(
        default=1,
        ge=1,
        le=1_000,
        description="engines and workers that send from this address: each takes its part",
    )
    venue_silence_seconds: int = Field(
        default=20, ge=1, le=600, description="a stream that says nothing so long is opened anew"
    )
    venue_egress_addresses: tuple[str, ...] = Field(
        default=(), description="IP addresses that keys of new sub-accounts are bound to"
    )
    venue_is_broker: bool = Field(
        default=False, description="the main keys are a broker's, who makes keys for sub-accounts"
    )

    @property
    def paper_folder(self) -> Path | None:
        """Return where play money is kept; None where nobody may follow with it."""
        if not self.paper_follows:
            return None
        if self.paper_directory:
            return Path(self.paper_directory)
        path = self.database_url.removeprefix(SQLITE).partition("?")[0]
        is_file = self.database_url.startswith(SQLITE) and path not in {"", ":memory:"}
        return Path(f"{path}.paper") if is_file else None

    @property
    def usable_depth(self) -> Ratio:
        return Ratio(Decimal(self.usable_depth_percent) / 100)

    @property
    def quiet(self) -> timedelta:
        return timedelta(milliseconds=self.signal_quiet_milliseconds)

    def price_bound(self, instrument: Instrument) -> Ratio:
        """Return C8's bound for an open in this instrument."""
        is_major = instrument.base in self.major_bases
        return Ratio(self.price_bound_major if is_major else self.price_bound_other)


def load_settings(**given: object) -> Settings:
    """Return the settings of this process; raise `ConfigurationError` with a sentence per fault."""
    try:
        return Settings(**given)  # pyright: ignore[reportArgumentType] - pydantic checks the types
    except ValidationError as error:
        raise ConfigurationError(_sentences(error)) from error


def _sentences(error: ValidationError) -> str:
    sentences: list[str] = []
    for fault in error.errors():
        name = "_".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            sentences.append(f"There is no setting {name}; remove it.")
            continue
        told = fault["msg"].removeprefix("Value error, ")
        message = told[0].lower() + told[1:]
        field = Settings.model_fields.get(name)
        is_secret = field is not None and field.annotation is SecretStr
        what = "cannot be used" if is_secret else f"is {fault['input']!r}"
        sentences.append(f"{PREFIX}{name.upper()} {what}: {message}.")
    return " ".join(sentences)
