"""The wire protocol of Bybit v5, unified account, category linear."""
