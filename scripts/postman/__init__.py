"""The parts of the Postman collection."""
