"""The wire protocol of Binance USD-M futures."""
