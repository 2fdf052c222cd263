"""The RESTful interactions, one file each, over commands that any door may build."""
