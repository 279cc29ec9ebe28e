"""Streams and instruments of the laws: those of `simexchange campaign`."""

from simexchange.campaign.instruments import TIERS, make_instrument
from simexchange.campaign.stream import Stream, make_run

__all__ = ["TIERS", "Stream", "make_instrument", "make_run"]
