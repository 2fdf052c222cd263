"""Booking: places of a schedule, visits that take them, and the clinic's rules about both."""
