"""What an operator may do to a served exchange: accounts, prices, time, faults, and watching it."""
