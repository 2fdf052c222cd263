"""Tickets: a booked visit as a calendar entry, and as a sheet of paper."""
