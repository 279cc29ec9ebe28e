"""How fast the exchange is: `simexchange bench`, in CPU time, instructions and memory."""
