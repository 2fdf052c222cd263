"""The `$operations`, one file each, beside the table that lists them."""
