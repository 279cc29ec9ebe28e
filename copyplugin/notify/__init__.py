"""Telling people what happened: in the page, by e-mail, by webhook."""
