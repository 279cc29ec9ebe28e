"""What the venue calls a key's permissions."""

from simexchange.server.keys import ApiKey, Grant

TRADING = {"ContractTrade": ("Order", "Position")}
TRANSFERRING = {"Wallet": ("AccountTransfer", "SubMemberTransfer")}
GROUPS: dict[str, tuple[str, ...]] = {
    "ContractTrade": ("Order", "Position"),
    "Spot": ("SpotTrade",),
    "Wallet": ("AccountTransfer", "SubMemberTransfer", "SubMemberTransferList", "Withdraw"),
    "Options": ("OptionsTrade",),
    "Derivatives": ("DerivativesTrade",),
    "CopyTrading": ("CopyTrading",),
    "BlockTrade": ("BlockTrade",),
    "Exchange": ("ExchangeHistory",),
    "NFT": ("NFTQueryProductList",),
    "Affiliate": ("Affiliate",),
    "Earn": ("Earn",),
    "FiatP2P": ("FiatP2POrder", "Advertising"),
    "FiatBybitPay": ("FaitPayOrder",),
    "FiatBitPay": ("FiatPay",),
    "FiatConvertBroker": ("FiatConvertBroker",),
}


def is_read_only(grant: Grant) -> bool:
    return not (grant.trade or grant.transfer or grant.withdraw)


def permissions_of(grant: Grant) -> dict[str, list[str]]:
    """Return the key's permissions by group; groups without one are empty."""
    given = dict(grant.scopes)
    if not given:
        if grant.trade:
            given |= TRADING
        wallet = (*(TRANSFERRING["Wallet"] if grant.transfer else ()),)
        given["Wallet"] = (*wallet, "Withdraw") if grant.withdraw else wallet
    return {group: list(given.get(group, ())) for group in GROUPS}


def grant_from(permissions: dict[str, list[str]], *, read_only: bool) -> Grant:
    """Return what permissions by group allow; ValueError for one that is unknown."""
    for group, words in permissions.items():
        unknown = [word for word in words if word not in GROUPS.get(group, ())]
        if group not in GROUPS or unknown:
            raise ValueError(f"permission {group} {unknown or ''} is unknown")
    scopes = tuple((group, tuple(words)) for group, words in permissions.items() if words)
    words = {word for _, group in scopes for word in group}
    writes = not read_only
    return Grant(
        trade=writes and bool(words & {"Order", "Position"}),
        transfer=writes and bool(words & {"AccountTransfer", "SubMemberTransfer"}),
        withdraw=writes and "Withdraw" in words,
        scopes=scopes,
    )


def permits(key: ApiKey, scope: str) -> bool:
    """Say whether a key may do what needs ``scope``."""
    grant = key.grant
    if is_read_only(grant):
        return False
    if not grant.scopes:
        return grant.trade if scope in TRADING["ContractTrade"] else grant.transfer
    return any(scope in words for _, words in grant.scopes)
